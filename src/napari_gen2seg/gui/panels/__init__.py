"""Panels of the dock."""
