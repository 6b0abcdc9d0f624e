"""The command line: one file a command, and the table of them."""

from __future__ import annotations

# name: (module, group, help in one line). Adding a command is its file and its line here: help, completion and reference follow.
# Nothing is imported by reading the table: only the command that is called gets loaded.
COMMANDS: dict[str, tuple[str, str, str]] = {
    "run": ("offduty.cli.commands.run", "Run", "run a command or a configured job: logged, summarised, recorded"),
    "status": ("offduty.cli.commands.status", "Look back", "how every job is doing, one line each"),
    "runs": ("offduty.cli.commands.runs", "Look back", "the runs there were; `runs show ID` tells all about one"),
    "log": ("offduty.cli.commands.log", "Look back", "what a run printed, and its summary"),
    "triage": ("offduty.cli.commands.triage", "Look back", "what goes wrong, what to do, whom to call; any log explained"),
    "up": ("offduty.cli.commands.up", "Look after", "start jobs when they are due, watch, deliver: all in one process"),
    "watch": ("offduty.cli.commands.watch", "Look after", "notice what did not happen, and deliver what is owed"),
    "incidents": ("offduty.cli.commands.incidents", "Look after", "what is broken, who is at it; acknowledge, note, snooze, resolve"),
    "alerts": ("offduty.cli.commands.alerts", "Look after", "who was told what, what did not arrive; prove channels"),
    "pings": ("offduty.cli.commands.pings", "Look after", "jobs that others start, and that tell by HTTP how they are"),
    "silence": ("offduty.cli.commands.silence", "Look after", "a maintenance window: nobody is told of a job for a while"),
    "deliver": ("offduty.cli.commands.deliver", "Look after", "send what is owed and has not arrived yet"),
    "drill": ("offduty.cli.commands.drill", "Let go", "break things on purpose, in a sandbox, and compare with the table"),
    "ready": ("offduty.cli.commands.ready", "Let go", "can this job be left alone, and what is missing"),
    "handover": ("offduty.cli.commands.handover", "Let go", "the document a support team can work from; who accepted what"),
    "value": ("offduty.cli.commands.value", "Let go", "is more work on a job worth it: effort, gain, and a verdict"),
    "touch": ("offduty.cli.commands.touch", "Let go", "note what you did for a job, and how long it took"),
    "request": ("offduty.cli.commands.request", "Let go", "what customers ask for, the most worthwhile first"),
    "digest": ("offduty.cli.commands.digest", "Let go", "the week of a team: what ran, what needed a hand, what is next"),
    "scan": ("offduty.cli.commands.scan", "Set up", "what the code touches that can fail: files, databases, services"),
    "schedule": ("offduty.cli.commands.schedule", "Set up", "when jobs are due; hand that to cron, systemd or Kubernetes"),
    "init": ("offduty.cli.commands.init", "Set up", "write a first offduty.toml for this folder"),
    "learn": ("offduty.cli.commands.learn", "Set up", "bounds for a job and its inputs, as its good runs show them"),
    "check": ("offduty.cli.commands.check", "Set up", "everything wrong with the configuration, at once"),
    "doctor": ("offduty.cli.commands.doctor", "Set up", "every setting and where it came from, the store, the folders"),
    "config": ("offduty.cli.commands.config", "Set up", "show the configuration as offduty understands it"),
    "completion": ("offduty.cli.commands.completion", "Set up", "make the shell complete commands, options and jobs"),
}
