"""What the API answers when it refuses: Proxmox VE's statuses, texts and envelope.

Clients read the text from the HTTP reason phrase, so every error has one line that fits there.
"""

from __future__ import annotations

from collections.abc import Mapping


class ApiError(Exception):
    """A refusal with its HTTP status, its one-line text and, for bad parameters, a text per field."""

    def __init__(self, status: int, text: str, errors: Mapping[str, str] | None = None) -> None:
        """Make the refusal; line breaks in the text become spaces because it is a reason phrase."""
        super().__init__(text)
        self.status = status
        self.text = " ".join(text.split())
        self.errors = dict(errors or {})


def failed(text: str) -> ApiError:
    """Status 500: how Proxmox VE reports everything that a method itself refuses."""
    return ApiError(500, text)


def bad_parameters(errors: Mapping[str, str]) -> ApiError:
    """Status 400 with one text per parameter."""
    return ApiError(400, "Parameter verification failed.", errors)


def missing_guest(kind: str, node: str, vmid: int) -> ApiError:
    """What any call on a guest answers when the node has no such guest."""
    folder = "qemu-server" if kind == "qemu" else "lxc"
    return failed(f"Configuration file 'nodes/{node}/{folder}/{vmid}.conf' does not exist")
