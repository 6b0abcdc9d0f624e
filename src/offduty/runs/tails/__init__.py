"""What went wrong, read off the end of a job's output: one file per family of languages; `table` lists them."""
