"""Torch modules and tensor helpers; nothing of files."""
