"""Settings in, ready objects out: the only package that knows the concrete classes."""
