"""The docker package: its configuration, its types, and the refusal of every engine but the sandbox's.

The program talks to an engine through the sandbox's front socket of its guest:
`unix://<directory>/<guest>.sock`,
where the directory is the key `docker` of `.sandbox/endpoints.json`. Any other host is refused, the local
Docker
socket above all: nothing may land on the engine of the machine that runs the sandbox.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.plugins.docker import container, image, network, volume
from sandbox.plugins.docker.connection import connect
from sandbox.plugins.properties import names, string
from sandbox.plugins.resource import Endpoints, Package
from sandbox.plugins.values import Values, text

if TYPE_CHECKING:
    from docker import APIClient

SCHEME = "unix://"


def refuse(configuration: Values, endpoints: Endpoints) -> Iterator[str]:
    """Why the host is not a front socket of this sandbox."""
    host = text(configuration, "host")
    directory = endpoints.addresses.get("docker")
    if directory is not None and host.startswith(SCHEME):
        socket = Path(host.removeprefix(SCHEME))
        if socket.suffix == ".sock" and socket.resolve().parent == Path(directory).resolve():
            return
    yield endpoints.refusal("docker", "the property host of the docker provider", host)


def package() -> Package[APIClient]:
    """The package as the server needs it."""
    return Package(
        name="docker",
        version="5.2.0",
        configuration=(string("host"),),
        unsupported=names(
            "caMaterial certMaterial certPath context disableDockerDaemonCheck keyMaterial"
            " registryAuth sshOpts"
        ),
        types=(network.TYPE, volume.TYPE, image.TYPE, container.TYPE),
        connect=connect,
        close=lambda client: client.close(),
        refuse=refuse,
    )
