"""The evaluation dock."""
