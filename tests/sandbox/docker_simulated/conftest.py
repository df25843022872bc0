"""A simulated engine on a unix socket, and the official Docker client that talks to it."""

from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from sandbox.conformance.serving import served_on_socket
from sandbox.docker.simulated import application
from sandbox.store import Store


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[docker.DockerClient]:
    """A client of a fresh simulated engine."""
    app = application(Store(":memory:"), name="docker-1")
    with served_on_socket(app, tmp_path / "docker.sock") as url:
        client = docker.DockerClient(base_url=url)
        client.images.pull("docker.io/library/nginx", tag="1.27")
        yield client
        client.close()
