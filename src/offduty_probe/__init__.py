"""The probe: rides inside the job's own Python, records what happens there, and never raises into the job.

`check`, `metric` and `transaction` are for jobs whose environment has no offduty; they load on first use.
"""

TOLD = ("check", "metric", "transaction")


def __getattr__(name: str) -> object:
    if name in TOLD:
        from offduty_probe import telling

        return getattr(telling, name)
    raise AttributeError(f"module 'offduty_probe' has no attribute {name!r}")
