"""Model hub: client, resumable download, cache, licence."""
