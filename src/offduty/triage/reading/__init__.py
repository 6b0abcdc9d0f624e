"""Reading a log: its lines, the statements they make, and the facts a statement shows."""
