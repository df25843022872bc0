"""Input that cannot be replayed, and plugins that cannot be talked to."""


class ConformanceError(Exception):
    """Nothing can be compared: the text says what, where, why and how to repair."""
