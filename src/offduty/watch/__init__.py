"""Noticing what did not happen: schedules, runs that are late, too long or gone, and pings of jobs that others start."""
