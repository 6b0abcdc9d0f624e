"""One supervised execution of a job."""
