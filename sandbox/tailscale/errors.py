"""Tailscale's refusals: an HTTP status and a `message`."""

from typing import Any


class ApiError(Exception):
    """A request that the API refuses.

    Args:
        status: HTTP status.
        message: the sentence of the answer.
        data: details that the answer carries beside it (failing tests).
    """

    def __init__(self, status: int, message: str, data: list[dict[str, Any]] | None = None) -> None:
        """Keep status, sentence and details."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.data = data


class PolicyError(ApiError):
    """A policy file that the control plane does not accept (400)."""

    def __init__(self, message: str, data: list[dict[str, Any]] | None = None) -> None:
        """Keep sentence and details."""
        super().__init__(400, message, data)
