"""Child processes of the window."""
