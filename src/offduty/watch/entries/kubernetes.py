"""A CronJob, as Kubernetes takes it."""

from __future__ import annotations

import json

from offduty.watch.entries import Start, cron_of

LONGEST_NAME = 52  # of a CronJob: Kubernetes puts eleven characters behind it


def manifest(start: Start, image: str) -> str:
    """The manifest (YAML) of a CronJob that runs `start` in `image`. Raises ScheduleError E305."""
    name = start.job.replace("_", "-").replace(".", "-")[:LONGEST_NAME].strip("-")
    return f"""\
# By `offduty schedule install {start.job} --kubernetes`. Logs and store outlive the pod only on a volume: mount one at OFFDUTY_STATE_DIR.
apiVersion: batch/v1
kind: CronJob
metadata:
  name: {json.dumps(name)}
spec:
  schedule: {json.dumps(cron_of(start))}
  timeZone: {json.dumps(start.zone if start.zone != "UTC" else "Etc/UTC")}
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: {start.grace or 900:.0f}
  jobTemplate:
    spec:
      backoffLimit: 0   # offduty tries again itself
      template:
        spec:
          restartPolicy: Never
          terminationGracePeriodSeconds: {start.stop_grace + 15:.0f}
          containers:
            - name: job
              image: {json.dumps(image)}
              workingDir: {json.dumps(start.folder)}
              command: {json.dumps(["offduty", *start.words[len(start.program) :]])}
              env:
                - name: OFFDUTY_STATE_DIR
                  value: /var/lib/offduty
              volumeMounts:
                - name: offduty
                  mountPath: /var/lib/offduty
          volumes:
            - name: offduty
              persistentVolumeClaim:
                claimName: offduty
"""
