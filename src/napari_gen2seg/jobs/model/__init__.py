"""The model process: client, server, messages."""
