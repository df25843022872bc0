"""Containers of the simulated engine: addresses, ports, names, life and files."""

import io
import tarfile
import threading
from typing import Any

import docker
import pytest
from docker.errors import APIError, ImageNotFound, NotFound
from docker.models.containers import Container
from docker.types import IPAMConfig, IPAMPool, Mount

IMAGE = "nginx:1.27"


@pytest.fixture
def vnet(engine: docker.DockerClient) -> Any:
    """A network 10.128.0.0/29: gateway .1, five addresses for containers."""
    pool = IPAMPool(subnet="10.128.0.0/29")
    return engine.networks.create("vnet", ipam=IPAMConfig(pool_configs=[pool]))


def created(engine: docker.DockerClient, name: str, network: Any, address: str | None = None) -> Container:
    """A container as the Docker provider makes it: on bridge, moved to its network, not started."""
    container = engine.containers.create(IMAGE, name=name, network_mode="bridge")
    engine.networks.get("bridge").disconnect(container)
    network.connect(container, ipv4_address=address, aliases=[f"{name}-alias"])
    return container


def endpoint(container: Container, network: str) -> dict[str, Any]:
    """The settings of a container in a network, as inspect shows them now."""
    container.reload()
    found: dict[str, Any] = container.attrs["NetworkSettings"]["Networks"][network]
    return found


def refusal(error: pytest.ExceptionInfo[APIError]) -> tuple[int, str]:
    """Status and sentence of a refusal."""
    assert error.value.response is not None
    return error.value.response.status_code, error.value.explanation or ""


def tar_of(files: dict[str, bytes]) -> bytes:
    """A tar archive of files with mode 0640."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o640
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def test_a_started_container_is_running_and_addressed(engine: docker.DockerClient, vnet: Any) -> None:
    """Start takes the static address, and the network's inspect shows it with its prefix length."""
    container = created(engine, "web", vnet, "10.128.0.4")
    assert endpoint(container, "vnet")["IPAddress"] == ""
    container.start()
    live = endpoint(container, "vnet")
    assert container.status == "running"
    assert (live["IPAddress"], live["IPPrefixLen"], live["Gateway"]) == ("10.128.0.4", 29, "10.128.0.1")
    assert live["MacAddress"] == "02:42:0a:80:00:04"
    assert live["Aliases"] == ["web-alias", str(container.id)[:12]]
    shown = engine.networks.get("vnet").attrs["Containers"][container.id]
    assert (shown["Name"], shown["IPv4Address"]) == ("web", "10.128.0.4/29")


def test_stop_gives_the_address_back(engine: docker.DockerClient, vnet: Any) -> None:
    """A stopped container has no address; its static one can be taken by another, and then not by it."""
    first = created(engine, "one", vnet, "10.128.0.4")
    first.start()
    first.stop()
    assert endpoint(first, "vnet")["IPAddress"] == ""
    created(engine, "two", vnet, "10.128.0.4").start()
    with pytest.raises(APIError) as error:
        first.start()
    assert refusal(error) == (403, "Address already in use")
    first.reload()
    assert first.status == "exited"


@pytest.mark.parametrize(
    ("address", "status", "text"),
    [
        ("10.128.0.1", 403, "Address already in use"),
        ("10.128.0.7", 403, "Address already in use"),
        ("10.9.9.9", 400, "Invalid address 10.9.9.9: It does not belong to any of this network's subnets"),
    ],
)
def test_wrong_static_addresses(
    engine: docker.DockerClient, vnet: Any, address: str, status: int, text: str
) -> None:
    """Gateway, broadcast and foreign addresses are refused by the start."""
    container = created(engine, "web", vnet, address)
    with pytest.raises(APIError) as error:
        container.start()
    assert refusal(error) == (status, text)


def test_static_addresses_need_a_network_with_a_subnet(engine: docker.DockerClient) -> None:
    """They are refused on the default bridge and on a network whose subnet the engine chose."""
    container = engine.containers.create(IMAGE, name="web", network_mode="bridge")
    with pytest.raises(APIError, match="supported on user defined networks only"):
        engine.networks.get("bridge").connect(container, ipv4_address="172.17.0.9")
    with pytest.raises(
        APIError, match="supported only when connecting to networks with user configured subnets"
    ):
        engine.networks.create("auto").connect(container, ipv4_address="172.18.0.9")


def test_automatic_addresses_are_the_lowest_free(engine: docker.DockerClient, vnet: Any) -> None:
    """They skip the gateway and static ones; a /29 holds five containers and refuses the sixth."""
    created(engine, "static", vnet, "10.128.0.3").start()
    names = ["a", "b", "c", "d"]
    for name in names:
        created(engine, name * 2, vnet).start()
    got = [endpoint(engine.containers.get(name * 2), "vnet")["IPAddress"] for name in names]
    assert got == ["10.128.0.2", "10.128.0.4", "10.128.0.5", "10.128.0.6"]
    with pytest.raises(APIError) as error:
        created(engine, "last", vnet).start()
    assert refusal(error) == (
        500,
        f"no available IPv4 addresses on this network's address pools: vnet ({vnet.id})",
    )


def test_a_missing_network_is_found_at_start(engine: docker.DockerClient) -> None:
    """Connecting a stopped container to no network is accepted, as the real engine does; start fails."""
    container = engine.containers.create(IMAGE, name="web", network_mode="bridge")
    engine.networks.get("bridge").disconnect(container)
    engine.api.connect_container_to_network(str(container.id), "nowhere")
    with pytest.raises(NotFound, match="network nowhere not found"):
        container.start()


def test_connect_and_disconnect_while_running(engine: docker.DockerClient, vnet: Any) -> None:
    """A running container gets its address at once, cannot join twice, and loses it when it leaves."""
    container = engine.containers.run(IMAGE, name="web", detach=True)
    vnet.connect(container, ipv4_address="10.128.0.5")
    assert endpoint(container, "vnet")["IPAddress"] == "10.128.0.5"
    with pytest.raises(APIError) as error:
        vnet.connect(container)
    assert refusal(error) == (403, "endpoint with name web already exists in network vnet")
    vnet.disconnect(container)
    container.reload()
    assert list(container.attrs["NetworkSettings"]["Networks"]) == ["bridge"]
    with pytest.raises(APIError, match="is not connected to the network vnet"):
        vnet.disconnect(container)


@pytest.mark.parametrize(("first", "second"), [("0.0.0.0", "127.0.0.1"), ("127.0.0.1", "0.0.0.0")])
def test_host_ports_collide(engine: docker.DockerClient, first: str, second: str) -> None:
    """A host port on all addresses collides with one on a single address, until the holder is gone."""
    holder = engine.containers.run(IMAGE, name="one", ports={"80/tcp": (first, 8080)}, detach=True)
    other = engine.containers.create(IMAGE, name="two", ports={"80/tcp": (second, 8080)})
    with pytest.raises(APIError) as error:
        other.start()
    status, text = refusal(error)
    assert status == 500
    assert f"Bind for {second}:8080 failed: port is already allocated" in text
    holder.remove(force=True)
    other.start()
    other.reload()
    assert other.ports == {"80/tcp": [{"HostIp": second, "HostPort": "8080"}]}


def test_an_internal_network_publishes_nothing(engine: docker.DockerClient) -> None:
    """A port of a container that is only on an internal network is silently not published."""
    engine.networks.create("inner", internal=True)
    container = engine.containers.run(IMAGE, name="w1", network="inner", ports={"80/tcp": 8080}, detach=True)
    container.reload()
    assert container.ports == {"80/tcp": None}


def test_names_are_unique(engine: docker.DockerClient) -> None:
    """A second container of one name is refused; after a rename the old name is free."""
    first = engine.containers.create(IMAGE, name="web")
    with pytest.raises(APIError) as error:
        engine.containers.create(IMAGE, name="web")
    assert refusal(error) == (
        409,
        f'Conflict. The container name "/web" is already in use by container "{first.id}". You have to '
        "remove (or rename) that container to be able to reuse that name.",
    )
    first.rename("old")
    engine.containers.create(IMAGE, name="web")
    assert engine.containers.get("old").id == first.id


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            {"name": "rec web!"},
            "Invalid container name (rec web!), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed",
        ),
        ({"cap_add": ["NOPE"]}, 'invalid CapAdd: unknown capability: "CAP_NOPE"'),
        ({"mem_limit": "1m"}, "Minimum memory limit allowed is 6MB"),
        (
            {"mem_limit": "64m", "memswap_limit": "32m"},
            "Minimum memoryswap limit should be larger than memory limit, see usage",
        ),
        ({"ports": {"99999/tcp": 1}}, 'invalid port specification: "99999"'),
        ({"restart_policy": {"Name": "sometimes"}}, "invalid restart policy 'sometimes'"),
        (
            {"mounts": [Mount("/data", "aa"), Mount("/data", "bb")]},
            "Duplicate mount point: /data",
        ),
    ],
)
def test_creation_is_checked(engine: docker.DockerClient, arguments: dict[str, Any], text: str) -> None:
    """What the engine refuses at creation is refused with its text, and leaves no container."""
    with pytest.raises(APIError) as error:
        engine.containers.create(IMAGE, **arguments)
    assert refusal(error) == (400, text)
    assert engine.containers.list(all=True) == []


def test_a_missing_image_is_refused(engine: docker.DockerClient) -> None:
    """A container of an image that was not pulled is a 404 that names it."""
    with pytest.raises(ImageNotFound, match="No such image: nope:latest"):
        engine.containers.create("nope", name="web")


def test_life(engine: docker.DockerClient) -> None:
    """Start twice is no error, a running container is not removed without force, kill needs a running one."""
    container = engine.containers.run(IMAGE, name="web", detach=True, healthcheck={"test": ["CMD", "true"]})
    container.start()
    container.reload()
    assert container.attrs["State"]["Health"]["Status"] == "healthy"
    with pytest.raises(APIError, match="You cannot remove a running container"):
        container.remove()
    container.kill()
    assert container.wait() == {"Error": None, "StatusCode": 137}
    with pytest.raises(APIError, match="is not running"):
        container.kill()
    container.restart()
    container.reload()
    assert container.status == "running"
    container.remove(force=True, v=True)
    with pytest.raises(NotFound, match="No such container: web"):
        engine.containers.get("web")


def test_wait_returns_when_the_container_stops(engine: docker.DockerClient) -> None:
    """Wait blocks while the container runs."""
    container = engine.containers.run(IMAGE, name="web", detach=True)
    stopper = threading.Timer(0.3, container.stop)
    stopper.start()
    try:
        assert container.wait(timeout=5)["StatusCode"] == 0
    finally:
        stopper.join()
    assert engine.containers.get("web").status == "exited"


def test_lists_are_filtered_by_label(engine: docker.DockerClient) -> None:
    """Containers are selected by label and by state; stopped ones only when asked for."""
    engine.containers.run(IMAGE, name="web", labels={"homelab.endpoint": "service:a/web"}, detach=True)
    engine.containers.create(IMAGE, name="loader", labels={"homelab.endpoint": "service:a/loader"})
    by_label: dict[str, str | list[str] | bool] = {"label": "homelab.endpoint"}
    assert [c.name for c in engine.containers.list(filters=by_label)] == ["web"]
    assert {c.name for c in engine.containers.list(all=True, filters=by_label)} == {"web", "loader"}
    exact: dict[str, str | list[str] | bool] = {"label": "homelab.endpoint=service:a/loader"}
    assert [c.name for c in engine.containers.list(all=True, filters=exact)] == ["loader"]


def test_update_changes_limits(engine: docker.DockerClient) -> None:
    """Memory, swap and restart policy change in place; a swap below the memory is refused."""
    container = engine.containers.create(IMAGE, name="web", mem_limit="64m")
    assert container.attrs["HostConfig"]["MemorySwap"] == 2 * 64 * 2**20
    container.update(mem_limit="128m", memswap_limit="128m", restart_policy={"Name": "always"})
    container.reload()
    host = container.attrs["HostConfig"]
    assert (host["Memory"], host["MemorySwap"]) == (128 * 2**20, 128 * 2**20)
    assert host["RestartPolicy"]["Name"] == "always"
    with pytest.raises(APIError, match="Minimum memoryswap limit"):
        container.update(mem_limit="256m", memswap_limit="128m")


def test_files_in_a_volume_are_seen_by_others(engine: docker.DockerClient) -> None:
    """A loader writes into a named volume; a read-only container that mounts it reads the file."""
    loader = engine.containers.create(IMAGE, name="loader", mounts=[Mount("/config", "conf")])
    assert loader.put_archive("/", tar_of({"/config/app/a.conf": b"a=1\n"}))
    reader = engine.containers.create(
        IMAGE, name="reader", read_only=True, mounts=[Mount("/etc/app", "conf", read_only=True)]
    )
    chunks, stat = reader.get_archive("/etc/app/app/a.conf")
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
        member = archive.getmember("a.conf")
        content = archive.extractfile(member)
        assert content is not None
        assert content.read() == b"a=1\n"
    assert stat is not None
    assert (stat["size"], stat["mode"], member.mode) == (4, 0o640, 0o640)
    with pytest.raises(APIError, match="Could not find the file /etc/none in container"):
        reader.get_archive("/etc/none")


@pytest.mark.parametrize(
    ("path", "text"),
    [("/", "container rootfs is marked read-only"), ("/ro", "mounted volume is marked read-only")],
)
def test_read_only_places_take_no_files(engine: docker.DockerClient, path: str, text: str) -> None:
    """An upload into a read-only root or a read-only volume is refused."""
    container = engine.containers.create(
        IMAGE, name="web", read_only=True, mounts=[Mount("/ro", "conf", read_only=True)]
    )
    with pytest.raises(APIError) as error:
        container.put_archive(path, tar_of({"x": b"x"}))
    assert refusal(error) == (500, text)
