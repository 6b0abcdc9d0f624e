"""Letting go: how ready a job is to be left alone, the document that hands it over, and whether more work on it is worth it."""
