"""The sandbox's Cloudflare on a loopback port, its official client, and raw requests."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from cloudflare import Cloudflare

from sandbox.cloudflare.server import application
from sandbox.conformance.serving import served_on_loopback
from sandbox.store import Store

TOKEN = "test-token-that-opens"
MAKER = "test-token-that-makes-tokens"
Send = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def base() -> Iterator[str]:
    """The base URL of a fresh API with two zones."""
    zones = ("example.org", "dev.lab.example")
    app = application(Store(":memory:"), token=TOKEN, maker=MAKER, zones=zones)
    with served_on_loopback(app) as url:
        yield f"{url}/client/v4"


@pytest.fixture
def client(base: str) -> Iterator[Cloudflare]:
    """The official client with the right token and no retries."""
    with Cloudflare(api_token=TOKEN, base_url=base, max_retries=0) as found:
        yield found


@pytest.fixture
def zone_id(client: Cloudflare) -> str:
    """The id of example.org."""
    (zone,) = client.zones.list(name="example.org").result
    return str(zone.id)


@pytest.fixture
def send(base: str) -> Send:
    """Send a raw request: method, path, JSON body; gives status and envelope."""

    def sending(
        method: str, path: str, body: Any = None, token: str | None = TOKEN
    ) -> tuple[int, dict[str, Any]]:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        answer = requests.request(method, base + path, json=body, headers=headers, timeout=5)
        return answer.status_code, answer.json()

    return sending
