"""Losses; the published instance coloring loss is re-exported here."""
