"""Telling people: what is owed to whom, until it has arrived."""
