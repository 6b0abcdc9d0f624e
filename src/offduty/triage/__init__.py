"""What commonly goes wrong: its cause, the first steps, and the team it belongs to."""
