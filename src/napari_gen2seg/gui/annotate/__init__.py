"""From pointer and clicks to a committed object."""
