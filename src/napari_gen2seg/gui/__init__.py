"""The window: thin views over the session, and the bridge to napari's layers."""
