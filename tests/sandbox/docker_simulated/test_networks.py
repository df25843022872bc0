"""Networks of the simulated engine, seen through the official client."""

from typing import Any

import docker
import pytest
from docker.errors import APIError, NotFound
from docker.models.networks import Network
from docker.types import IPAMConfig, IPAMPool


def network(engine: docker.DockerClient, name: str, subnet: str, gateway: str | None = None) -> Network:
    """An internal network with one pool."""
    pool = IPAMPool(subnet=subnet, gateway=gateway)
    return engine.networks.create(name, internal=True, ipam=IPAMConfig(pool_configs=[pool]))


def refusal(error: pytest.ExceptionInfo[APIError]) -> tuple[int, str]:
    """Status and sentence of a refusal."""
    assert error.value.response is not None
    return error.value.response.status_code, error.value.explanation or ""


def test_inspect_shows_what_was_asked(engine: docker.DockerClient) -> None:
    """Name, labels, options, internal and the pool come back; the gateway defaults to the first address."""
    made = engine.networks.create(
        "vnet-web",
        internal=True,
        labels={"homelab.stack": "web"},
        options={"com.docker.network.bridge.name": "br-12345678"},
        ipam=IPAMConfig(pool_configs=[IPAMPool(subnet="10.128.0.0/28")]),
    )
    shown = engine.networks.get("vnet-web").attrs
    assert shown["Id"] == made.id
    assert shown["IPAM"]["Config"] == [{"Subnet": "10.128.0.0/28", "Gateway": "10.128.0.1"}]
    assert shown["Internal"] is True
    assert shown["Labels"] == {"homelab.stack": "web"}
    assert shown["Options"] == {"com.docker.network.bridge.name": "br-12345678"}


@pytest.mark.parametrize("subnet", ["10.128.0.0/28", "10.128.0.0/24", "10.128.0.8/29"])
def test_overlapping_pools_are_refused(engine: docker.DockerClient, subnet: str) -> None:
    """The same subnet, a super-net and a sub-net are all refused with the engine's text."""
    network(engine, "one", "10.128.0.0/28")
    with pytest.raises(APIError) as error:
        network(engine, "two", subnet)
    assert refusal(error) == (403, "Pool overlaps with other one on this address space")


def test_default_bridge_counts_as_a_pool(engine: docker.DockerClient) -> None:
    """A subnet inside the default bridge's is refused."""
    with pytest.raises(APIError, match="Pool overlaps"):
        network(engine, "one", "172.17.5.0/24")


@pytest.mark.parametrize(
    ("gateway", "status", "text"),
    [
        ("10.129.0.1", 400, "no matching subnet for gateway 10.129.0.1"),
        ("10.128.0.0", 500, "failed to allocate gateway (10.128.0.0): Address already in use"),
    ],
)
def test_wrong_gateways_are_refused(
    engine: docker.DockerClient, gateway: str, status: int, text: str
) -> None:
    """A gateway outside the subnet, or the network address, is refused."""
    with pytest.raises(APIError) as error:
        network(engine, "one", "10.128.0.0/28", gateway)
    assert refusal(error) == (status, text)


def test_no_subnet_takes_the_next_default_pool(engine: docker.DockerClient) -> None:
    """Without a subnet networks get 172.18/16, 172.19/16, ... and the 31st is refused."""
    first = engine.networks.create("n0")
    first.reload()
    assert first.attrs["IPAM"]["Config"][0]["Subnet"] == "172.18.0.0/16"
    for number in range(1, 30):
        engine.networks.create(f"n{number}")
    with pytest.raises(APIError, match="could not find an available, non-overlapping IPv4 address pool"):
        engine.networks.create("n30")


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        ({"name": "taken"}, 409, "network with name taken already exists"),
        ({"name": "n", "driver": "nope"}, 404, 'plugin "nope" not found'),
        ({"name": "bridge"}, 403, "operation is not permitted on predefined bridge network "),
        ({"name": "n", "driver": "host"}, 403, 'only one instance of "host" network is allowed'),
        (
            {"name": "n", "enable_ipv6": True},
            400,
            "the simulated engine has no IPv6 networks; leave IPv6 out",
        ),
    ],
)
def test_other_refusals(
    engine: docker.DockerClient, arguments: dict[str, Any], status: int, text: str
) -> None:
    """Taken and predefined names, unknown drivers and IPv6 are refused, and nothing is made."""
    engine.networks.create("taken")
    with pytest.raises(APIError) as error:
        engine.networks.create(**arguments)
    assert refusal(error) == (status, text)
    assert sorted(str(n.name) for n in engine.networks.list()) == ["bridge", "host", "none", "taken"]


def test_a_network_in_use_cannot_be_deleted(engine: docker.DockerClient) -> None:
    """Deletion fails while a running container is in it, and works after the container stopped."""
    made = network(engine, "one", "10.128.0.0/28")
    container = engine.containers.run("nginx:1.27", name="web", network="one", detach=True)
    with pytest.raises(APIError) as error:
        made.remove()
    assert refusal(error)[0] == 403
    assert refusal(error)[1] == (
        f"error while removing network: network one id {made.id} has active endpoints"
    )
    container.stop()
    made.remove()
    with pytest.raises(NotFound, match="network one not found"):
        engine.networks.get("one")


def test_predefined_networks_stay(engine: docker.DockerClient) -> None:
    """`bridge` cannot be removed."""
    with pytest.raises(APIError, match="bridge is a pre-defined network and cannot be removed"):
        engine.networks.get("bridge").remove()


def test_lists_are_filtered(engine: docker.DockerClient) -> None:
    """Labels and names select; an unknown filter is an error and not ignored."""
    engine.networks.create("a", labels={"homelab.lab": "dev"})
    engine.networks.create("b", labels={"homelab.lab": "prod"})
    assert [n.name for n in engine.networks.list(filters={"label": "homelab.lab=dev"})] == ["a"]
    assert "b" in [n.name for n in engine.networks.list(names=["b"])]
    assert "a" not in [n.name for n in engine.networks.list(names=["b"])]
    with pytest.raises(APIError, match="Invalid filter 'nope'"):
        engine.networks.list(filters={"nope": "x"})
