"""What an API said when a question of the program to it failed, out of the error that the SDK raises."""

_SAID = "returned an error: "
"""Before this, the engine only repeats which function was called."""
_LONGEST = 300


def said(error: Exception) -> str:
    """The words of the provider and of its API, on one line of at most 300 characters."""
    text = " ".join(str(error).rpartition(_SAID)[2].split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
