"""The user's own models: kept, imported, exported."""
