"""The Docker API as the types here use it, and the errors in the official provider's words.

One client per provider, made at the first call. `docker` is imported then and not before, so that a preview
without
any request starts fast. An answer of the engine becomes "Error response from daemon: …" as in the official
plugin.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sandbox.plugins.resource import CallError, Endpoints
from sandbox.plugins.values import Values, text

if TYPE_CHECKING:
    from docker import APIClient

TIMEOUT = 600  # seconds; a pull answers only when it is done
POOL = 32  # connections, one per worker


def one_error(reason: str) -> str:
    """The official provider's form of a single error."""
    return f"1 error occurred:\n\t* {reason}\n\n"


def connect(configuration: Values, _endpoints: Endpoints) -> APIClient:
    """The client of the provider's engine; asks the engine for its API version."""
    from docker import APIClient
    from docker.errors import DockerException

    host = text(configuration, "host")
    try:
        return APIClient(base_url=host, version="auto", timeout=TIMEOUT, max_pool_size=POOL)
    except DockerException as error:
        reason = (
            "failed to create Docker client: Error pinging Docker server, please make sure that"
            f" {host} is reachable and has a  '_ping' endpoint. Error: Cannot connect to the Docker"
            f" daemon at {host}."
            " Is the docker daemon running?"
        )
        raise CallError(one_error(reason)) from error


@contextmanager
def reported_as(what: str) -> Iterator[None]:
    """Turn the engine's errors below this block into `CallError` with a sentence that starts with `what`."""
    try:
        yield
    except Exception as error:
        said = engine_text(error)
        if said is None:
            raise
        raise CallError(one_error(f"{what}: {said}")) from None


def engine_text(error: Exception) -> str | None:
    """What the engine (or the way to it) said, or None where the error is not the engine's."""
    from docker.errors import APIError
    from requests.exceptions import RequestException

    if isinstance(error, APIError):
        return f"Error response from daemon: {error.explanation or error}"
    if isinstance(error, RequestException):
        return f"Cannot connect to the Docker daemon ({type(error).__name__}). Is the docker daemon running?"
    return None


def is_missing(error: Exception) -> bool:
    """Whether the engine answered that the object does not exist."""
    from docker.errors import NotFound

    return isinstance(error, NotFound)
