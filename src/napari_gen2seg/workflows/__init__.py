"""One module a use, each a generator of events that the CLI and the GUI share."""
