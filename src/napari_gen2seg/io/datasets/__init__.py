"""Published and user data sets as annotated images."""
