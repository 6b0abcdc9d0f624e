"""What a job touches that can fail, and the events file that tells of it."""
