"""Proving it before it matters: what breaks things on purpose."""
