"""Is more work on a job worth it? What people spent on it, what its changes brought, and what follows."""
