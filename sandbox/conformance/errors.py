"""Input that cannot be replayed, and plugins that cannot be talked to."""


class ConformanceError(Exception):
    """Nothing can be compared: the text says what, where, why and how to repair."""


class Unplayable(Exception):
    """The case goes on from something that the sandbox cannot be brought to; the text says what."""
