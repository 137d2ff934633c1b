"""The training process: plan, run, past runs."""
