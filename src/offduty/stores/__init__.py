"""Remembering: the stores, their SQL and their migrations."""
