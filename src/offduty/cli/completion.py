"""The completion scripts, generated from the commands: one function for each shell, text out."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from offduty.cli.describe import Command, Option
from offduty.cli.frame import TAKES_A_VALUE

JOBS = "offduty completion --jobs 2>/dev/null"
BASH_ANSWERS = {
    "jobs": f'_offduty_words "$({JOBS})"',
    "files": 'COMPREPLY=($(compgen -f -- "$cur"))',
    "folders": 'COMPREPLY=($(compgen -d -- "$cur"))',
}


def bash(commands: list[Command], common: tuple[Option, ...]) -> str:
    """For `source <(offduty completion bash)`; needs nothing but bash 4."""
    return f"""\
# offduty: completion for bash. In ~/.bashrc: source <(offduty completion bash)
_offduty() {{
    local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}} command='' first='' word at
    [[ $cur == = ]] && cur=''
    [[ $prev == = ]] && prev=${{COMP_WORDS[COMP_CWORD-2]}}
    COMPREPLY=()
    for ((at = 1; at < COMP_CWORD; at++)); do
        word=${{COMP_WORDS[at]}}
        if [[ $word == -- ]]; then
            if ((at + 1 == COMP_CWORD)); then COMPREPLY=($(compgen -c -- "$cur")); else COMPREPLY=($(compgen -f -- "$cur")); fi
            return
        fi
        case $word in
            {"|".join(TAKES_A_VALUE)}) [[ -z $command ]] && ((at++)) ;;
            -*) ;;
            *) if [[ -z $command ]]; then command=$word; elif [[ -z $first ]]; then first=$word; fi ;;
        esac
    done
    if [[ -z $command ]]; then
        [[ $cur == -* ]] && _offduty_words "{_joined(_names(common))}" || _offduty_words "help {_joined(c.name for c in _top(commands))}"
        return
    fi
    case "$command $first" in {_joined_cases(commands)} command="$command $first" ;; esac
    case "$command|$prev" in
{_bash_values(commands, common)}
    esac
    case "$command" in
        help) _offduty_words "{_joined(c.name for c in _top(commands))}" ;;
{_bash_commands(commands, common)}
    esac
}}
_offduty_words() {{ COMPREPLY=($(compgen -W "$1" -- "$cur")); }}
complete -o default -F _offduty offduty
"""


def _joined_cases(commands: list[Command]) -> str:
    return "|".join(f'"{command.name}"' for command in commands if " " in command.name) + ")"


def _bash_values(commands: list[Command], common: tuple[Option, ...]) -> str:
    lines = [f"        *'|'{name}) {_bash_answer(option)}; return ;;" for option in common if option.value for name in option.names]
    for command in commands:
        for option in command.options:
            if option.value:
                lines += [f'        "{command.name}|{name}") {_bash_answer(option)}; return ;;' for name in option.names]
    return "\n".join(lines)


def _bash_answer(option: Option) -> str:
    if option.choices:
        return f'_offduty_words "{_joined(option.choices)}"'
    return BASH_ANSWERS.get(option.kind, "COMPREPLY=()")


def _bash_commands(commands: list[Command], common: tuple[Option, ...]) -> str:
    lines = []
    for command in commands:
        options = _joined([*_names(command.options), *_names(common)])
        words = [*command.choices, f"$({JOBS})"] if command.kind == "jobs" else list(command.choices)
        lines.append(f'        "{command.name}") [[ $cur == -* ]] && _offduty_words "{options}" || _offduty_words "{_joined(words)}" ;;')
    return "\n".join(lines)


def zsh(commands: list[Command], common: tuple[Option, ...]) -> str:
    """For a file `_offduty` in `$fpath`, or `source <(offduty completion zsh)` after compinit."""
    table = "\n".join(f"        {_single(_zsh_colon(c.name) + ':' + c.help)}" for c in _top(commands))
    cases = "\n".join(f"        {_single(c.name)}) _arguments -S {_zsh_arguments(c, common)} ;;" for c in commands)
    return f"""\
#compdef offduty
# offduty: completion for zsh. In ~/.zshrc, after compinit: source <(offduty completion zsh)
_offduty_jobs() {{ local -a jobs; jobs=(${{(f)"$({JOBS})"}}); compadd -a jobs }}
_offduty() {{
    local -a commands
    commands=(
{table}
        'help:explain a command'
    )
    if (( CURRENT == 2 )); then
        _describe command commands
        return
    fi
    local name=$words[2]
    shift words
    (( CURRENT-- ))
    if [[ $name == help ]]; then
        _describe command commands
        return
    fi
    case "$name $words[2]" in
        {_joined_cases(commands)} (( CURRENT > 2 )) && {{ name="$name $words[2]"; shift words; (( CURRENT-- )) }} ;;
    esac
    case $name in
{cases}
    esac
}}
if [[ $funcstack[1] == _offduty ]]; then _offduty "$@"; else compdef _offduty offduty; fi
"""


def _zsh_arguments(command: Command, common: tuple[Option, ...]) -> str:
    specs = [_zsh_option(name, option) for option in (*command.options, *common) for name in option.names]
    if command.choices and command.kind == "jobs":
        specs.append(f"*: :{{ compadd {_joined(command.choices)}; _offduty_jobs }}")
    elif command.choices:
        specs.append(f"*: :({_joined(command.choices)})")
    elif command.kind:
        specs.append(f"*: :{_zsh_action(command.kind)}")
    return " ".join(map(_single, specs))


def _zsh_option(name: str, option: Option) -> str:
    explained = f"*{name}[{_zsh_colon(option.help).replace('[', '(').replace(']', ')')}]"
    if not option.value:
        return explained
    return f"{explained}:{option.names[0].lstrip('-')}:{f'({_joined(option.choices)})' if option.choices else _zsh_action(option.kind)}"


def _zsh_action(kind: str) -> str:
    return {"jobs": "_offduty_jobs", "files": "_files", "folders": "_files -/"}.get(kind, " ")


def _zsh_colon(text: str) -> str:
    return text.replace(":", r"\:")


def fish(commands: list[Command], common: tuple[Option, ...]) -> str:
    """For `~/.config/fish/completions/offduty.fish`."""
    lines = ["# offduty: completion for fish. offduty completion fish > ~/.config/fish/completions/offduty.fish", "complete -c offduty -f"]
    lines += [f"complete -c offduty -n __fish_use_subcommand -a {c.name} -d {_single(c.help)}" for c in _top(commands)]
    lines.append("complete -c offduty -n __fish_use_subcommand -a help -d 'explain a command'")
    lines.append(f"complete -c offduty -n '__fish_seen_subcommand_from help' -a {_single(_joined(c.name for c in _top(commands)))}")
    lines += [_fish_option("complete -c offduty", option) for option in common]
    for command in commands:
        seen = f"complete -c offduty -n {_single(' ; and '.join(f'__fish_seen_subcommand_from {word}' for word in command.name.split()))}"
        lines += [_fish_option(seen, option) for option in command.options]
        if command.choices:
            lines.append(f"{seen} -a {_single(_joined(command.choices))}")
        if command.kind:
            lines.append(f"{seen} {_fish_kind(command.kind)}")
    return "\n".join(lines) + "\n"


def _fish_option(start: str, option: Option) -> str:
    names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names)
    answer = f"-f -a {_single(_joined(option.choices))}" if option.choices else _fish_kind(option.kind)
    value = f" -r {answer}" if option.value else ""
    return f"{start} {names}{value} -d {_single(option.help)}"


def _fish_kind(kind: str) -> str:
    return {"jobs": f"-f -a '({JOBS})'", "files": "-F", "folders": "-f -a '(__fish_complete_directories)'"}.get(kind, "-f")


def powershell(commands: list[Command], common: tuple[Option, ...]) -> str:
    """For the PowerShell profile."""
    table = "\n".join(f"    {_powershell(c.name)} = @({', '.join(map(_powershell, _powershell_words(c, common)))})" for c in commands)
    with_jobs = ", ".join(_powershell(c.name) for c in commands if c.kind == "jobs")
    return f"""\
# offduty: completion for PowerShell. In $PROFILE: offduty completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName offduty -ScriptBlock {{
    param($wordToComplete, $commandAst, $cursorPosition)
    $table = @{{
{table}
    }}
    $commands = @({", ".join(_powershell(c.name) for c in _top(commands))}, 'help')
    $words = @($commandAst.CommandElements | Select-Object -Skip 1 | ForEach-Object {{ "$_" }} | Where-Object {{ $_ -notlike '-*' }})
    if ($wordToComplete -and $words.Count -and $words[-1] -eq $wordToComplete) {{ $words = @($words | Select-Object -SkipLast 1) }}
    $name = if ($words.Count) {{ $words[0] }} else {{ '' }}
    if ($words.Count -gt 1 -and $table.ContainsKey("$name $($words[1])")) {{ $name = "$name $($words[1])" }}
    $answers = if (-not $name -or $name -eq 'help') {{ $commands }} else {{ $table[$name] }}
    if (@({with_jobs}) -contains $name -and $wordToComplete -notlike '-*') {{ $answers = @($answers) + @(offduty completion --jobs) }}
    $answers = $answers | Where-Object {{ $_ -like "$wordToComplete*" }}
    $answers | ForEach-Object {{ [System.Management.Automation.CompletionResult]::new($_) }}
}}
"""


def _powershell_words(command: Command, common: tuple[Option, ...]) -> list[str]:
    return [*command.choices, *_names(command.options), *_names(common)]


def _powershell(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _top(commands: Iterable[Command]) -> list[Command]:
    return [command for command in commands if " " not in command.name]


def _names(options: Iterable[Option]) -> list[str]:
    return [name for option in options for name in option.names]


def _joined(words: Iterable[str]) -> str:
    return " ".join(words)


def _single(text: str) -> str:
    """In single quotes, for zsh (and fish, which takes the same form)."""
    return "'" + text.replace("'", "'\\''") + "'"


SCRIPTS: dict[str, Callable[[list[Command], tuple[Option, ...]], str]] = {"bash": bash, "zsh": zsh, "fish": fish, "powershell": powershell}
