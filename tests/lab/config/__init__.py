"""Lab files as they are read."""
