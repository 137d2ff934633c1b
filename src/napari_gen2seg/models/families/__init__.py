"""One module a model family; `FAMILIES` is the door."""
