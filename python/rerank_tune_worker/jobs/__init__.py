"""One module a job kind; each has `run(job, reporter) -> Done`."""
