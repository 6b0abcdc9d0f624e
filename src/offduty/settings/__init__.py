"""What the user configured, and where each value came from: `load` (everything, every mistake at once) and `quick` (one job, fast)."""
