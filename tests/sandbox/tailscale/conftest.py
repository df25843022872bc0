"""The sandbox's Tailscale on a loopback port, and raw requests to it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from sandbox.conformance.serving import served_on_loopback
from sandbox.store import Store
from sandbox.tailscale.server import application

KEY = "tskey-api-test"
Send = Callable[..., requests.Response]


@pytest.fixture
def store() -> Store:
    """The store behind the API."""
    return Store(":memory:")


@pytest.fixture
def base(store: Store) -> Iterator[str]:
    """The base URL of a fresh API."""
    with served_on_loopback(application(store, key=KEY)) as url:
        yield f"{url}/api/v2"


@pytest.fixture
def send(base: str) -> Send:
    """Send a request as the official client does: Basic authorisation, key as user name."""

    def sending(method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        options.setdefault("auth", (KEY, ""))
        return requests.request(method, base + path, json=body, timeout=5, **options)

    return sending
