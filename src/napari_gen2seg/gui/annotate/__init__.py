"""Annotation: from pointer and clicks to a committed object."""
