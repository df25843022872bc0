"""The sandbox's API behind the stand-in's own client."""

from collections.abc import Iterator

import pytest

from sandbox.plugins.proxmoxve.connection import Client
from tests.sandbox.proxmox.conftest import (  # noqa: F401
    api,
    certificate,
    description,
    host,
    store,
)
from tests.sandbox.proxmox.doubles import TOKEN, Api


@pytest.fixture
def client(api: Api) -> Iterator[Client]:  # noqa: F811
    """The client that a configured provider has."""
    client = Client(api.endpoint, TOKEN, str(api.ca))
    yield client
    client.close()
