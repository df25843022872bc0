"""The docker package against the simulated engine, over real gRPC."""

import gc
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import docker
import grpc
import pytest

from sandbox.conformance.serving import served_on_socket
from sandbox.docker.simulated import application
from sandbox.plugins.docker import container_config
from sandbox.plugins.docker.container_properties import duration_text, nanoseconds
from sandbox.plugins.docker.provider import package
from sandbox.plugins.resource import Endpoints
from sandbox.plugins.values import UNKNOWN, Values, blocks
from sandbox.store import Store
from tests.sandbox.plugins.conversation import Conversation, conversation, kept_state

NETWORK = "docker:index/network:Network"
VOLUME = "docker:index/volume:Volume"
IMAGE = "docker:index/remoteImage:RemoteImage"
CONTAINER = "docker:index/container:Container"
REFERENCE = "docker.io/library/nginx:1.27"
NETWORK_INPUTS: Values = {
    "name": "vnet-web",
    "driver": "bridge",
    "internal": True,
    "options": {"com.docker.network.bridge.name": "br-0a1b2c3d"},
    "labels": [{"label": "homelab.stack", "value": "web"}],
    "ipamConfigs": [{"subnet": "10.128.0.0/28", "gateway": "10.128.0.1"}],
}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[str]:
    """The URL of a simulated engine."""
    with served_on_socket(application(Store(":memory:"), name="docker-1"), tmp_path / "docker-1.sock") as url:
        yield url


@pytest.fixture
def plugin(engine: str, tmp_path: Path) -> Iterator[Conversation]:
    """The docker plugin, configured for the engine."""
    with conversation(package(), {"docker": str(tmp_path)}) as talk:
        talk.configure({"host": engine})
        yield talk


@pytest.fixture
def client(engine: str) -> Iterator[docker.APIClient]:
    """The official client of the same engine."""
    api = docker.APIClient(base_url=engine, version="auto")
    yield api
    api.close()


def _image_id(plugin: Conversation) -> str:
    _, state = plugin.create(IMAGE, {"name": REFERENCE, "keepLocally": True})
    return str(state["imageId"])


@pytest.mark.parametrize(
    "host",
    [
        "",
        "unix:///var/run/docker.sock",
        "tcp://10.0.0.1:2375",
        "ssh://root@10.0.0.1",
        "unix://{directory}/../docker-1.sock",
    ],
)
def test_only_front_sockets_of_the_sandbox_are_accepted(host: str, tmp_path: Path) -> None:
    """Every other host, the local engine above all, is refused with the place to look."""
    endpoints = Endpoints(addresses={"docker": str(tmp_path)}, file=".sandbox/endpoints.json")
    (sentence,) = package().refuse({"host": host.format(directory=tmp_path)}, endpoints)
    assert ".sandbox/endpoints.json" in sentence


def test_a_sandbox_that_was_never_started_is_said_so() -> None:
    """Without endpoints nothing can be reached, and the sentence says why."""
    endpoints = Endpoints(addresses={}, file=".sandbox/endpoints.json")
    (sentence,) = package().refuse({"host": "unix:///x/docker-1.sock"}, endpoints)
    assert "the sandbox is not started" in sentence


# Docker's client leaves the socket of a failed connection to the garbage collector, which warns about it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_configure_does_not_need_the_engine(tmp_path: Path) -> None:
    """An engine that does not answer fails the first call, with the official text, not the configuration."""
    with conversation(package(), {"docker": str(tmp_path)}) as talk:
        talk.configure({"host": f"unix://{tmp_path}/gone.sock"})
        with pytest.raises(grpc.RpcError) as error:
            talk.create(VOLUME, {"name": "data"})
    assert "failed to create Docker client: Error pinging Docker server" in error.value.details()
    gc.collect()


def test_a_network_is_made_as_asked(plugin: Conversation, client: docker.APIClient) -> None:
    """Name, addresses, options and labels arrive; the outputs give them back and nothing differs."""
    id, state = plugin.create(NETWORK, NETWORK_INPUTS)
    found = client.inspect_network(id)
    assert (found["Name"], found["Internal"], found["Driver"]) == ("vnet-web", True, "bridge")
    assert found["IPAM"]["Config"][0]["Subnet"] == "10.128.0.0/28"
    assert found["Options"] == NETWORK_INPUTS["options"]
    assert found["Labels"] == {"homelab.stack": "web"}
    assert list(plugin.diff(NETWORK, id, state, NETWORK_INPUTS).diffs) == []


def test_a_refreshed_network_has_no_difference(plugin: Conversation) -> None:
    """What a refresh reads equals what was asked for."""
    id, state = plugin.create(NETWORK, NETWORK_INPUTS)
    _, read, inputs = plugin.read(NETWORK, id, state, plugin.inputs(NETWORK, NETWORK_INPUTS))
    assert list(plugin.diff(NETWORK, id, read, NETWORK_INPUTS).diffs) == []
    assert {name: inputs[name] for name in NETWORK_INPUTS} == NETWORK_INPUTS


def test_an_existing_network_is_not_adopted(plugin: Conversation) -> None:
    """The engine's refusal is the error, in the official words."""
    plugin.create(NETWORK, NETWORK_INPUTS)
    with pytest.raises(grpc.RpcError) as error:
        plugin.create(NETWORK, NETWORK_INPUTS)
    assert "Unable to create network: Error response from daemon: " in error.value.details()
    assert "vnet-web already exists" in error.value.details()


@pytest.mark.parametrize(
    ("token", "inputs"), [(NETWORK, NETWORK_INPUTS), (VOLUME, {"name": "data"}), (CONTAINER, {"name": "web"})]
)
def test_deleted_things_read_as_gone_and_delete_twice(
    plugin: Conversation, token: str, inputs: Values
) -> None:
    """A vanished object has an empty id, and deleting it again is no error."""
    if token == CONTAINER:
        inputs = {**inputs, "image": _image_id(plugin)}
    id, state = plugin.create(token, inputs)
    plugin.delete(token, id, state)
    assert plugin.read(token, id, state, plugin.inputs(token, inputs))[0] == ""
    plugin.delete(token, id, state)


def test_an_existing_volume_is_adopted(plugin: Conversation) -> None:
    """As with the official plugin, a volume of the name is taken over."""
    first, _ = plugin.create(VOLUME, {"name": "data"})
    assert plugin.create(VOLUME, {"name": "data"})[0] == first == "data"


def test_an_image_is_pulled_only_when_missing(plugin: Conversation, client: docker.APIClient) -> None:
    """The first create pulls, the second finds the same image; the id ends with the reference."""
    id, state = plugin.create(IMAGE, {"name": REFERENCE, "keepLocally": True})
    assert id == f"{state['imageId']}{REFERENCE}"
    assert client.inspect_image(str(state["imageId"]))["Id"] == state["imageId"]
    assert plugin.create(IMAGE, {"name": REFERENCE, "keepLocally": True})[1]["imageId"] == state["imageId"]


def test_a_kept_image_stays_on_the_engine(plugin: Conversation, client: docker.APIClient) -> None:
    """Delete leaves the image with `keepLocally` and removes the reference without."""
    id, state = plugin.create(IMAGE, {"name": REFERENCE, "keepLocally": True})
    plugin.delete(IMAGE, id, state)
    assert client.images(REFERENCE)
    plugin.delete(IMAGE, id, {**state, "keepLocally": False})
    assert not client.images(REFERENCE)


def _web(plugin: Conversation) -> Values:
    plugin.create(NETWORK, NETWORK_INPUTS)
    plugin.create(VOLUME, {"name": "config"})
    return {
        "name": "web",
        "image": _image_id(plugin),
        "networksAdvanced": [{"name": "vnet-web", "ipv4Address": "10.128.0.5", "aliases": ["app"]}],
        "labels": [{"label": "homelab.endpoint", "value": "service:web/app"}],
        "envs": ["A=1"],
        "command": ["serve", "--quiet"],
        "user": "1000:1000",
        "readOnly": True,
        "tmpfs": {"/tmp": "size=16m"},
        "mounts": [{"target": "/etc/app", "type": "volume", "source": "config", "readOnly": True}],
        "capabilities": {"adds": ["CAP_NET_BIND_SERVICE"], "drops": ["ALL"]},
        "securityOpts": ["no-new-privileges:true"],
        "memory": 64,
        "memorySwap": 64,
        "cpus": "0.5",
        "restart": "unless-stopped",
        "destroyGraceSeconds": 1,
        "healthcheck": {"tests": ["CMD", "true"], "interval": "10s", "retries": 3},
        "logDriver": "json-file",
        "logOpts": {"max-size": "10m"},
        "init": True,
        "hostname": "web",
        "dns": ["10.10.20.1"],
    }


def test_a_container_is_made_as_asked(plugin: Conversation, client: docker.APIClient) -> None:
    """Every setting arrives in the engine's units, and the container runs."""
    id, _ = plugin.create(CONTAINER, _web(plugin))
    found = client.inspect_container(id)
    host, config = found["HostConfig"], found["Config"]
    assert found["State"]["Running"]
    assert (host["Memory"], host["NanoCpus"]) == (64 * 1024 * 1024, 500_000_000)
    assert (host["ReadonlyRootfs"], host["Init"], host["CapDrop"]) == (True, True, ["ALL"])
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert config["Healthcheck"]["Interval"] == 10 * 10**9
    assert config["Labels"]["homelab.endpoint"] == "service:web/app"
    assert config["Cmd"] == ["serve", "--quiet"]


def test_a_container_has_just_its_own_networks(plugin: Conversation, client: docker.APIClient) -> None:
    """It is taken off the default bridge and gets its address and aliases on its network."""
    id, state = plugin.create(CONTAINER, _web(plugin))
    networks = client.inspect_container(id)["NetworkSettings"]["Networks"]
    assert list(networks) == ["vnet-web"]
    assert networks["vnet-web"]["IPAddress"] == "10.128.0.5"
    assert "app" in networks["vnet-web"]["Aliases"]
    (data,) = blocks(state, "networkDatas")
    assert data["ipAddress"] == "10.128.0.5"


def test_an_unchanged_container_has_no_difference(plugin: Conversation) -> None:
    """Neither before nor after a refresh does the next up want to do anything."""
    inputs = _web(plugin)
    id, state = plugin.create(CONTAINER, inputs)
    assert list(plugin.diff(CONTAINER, id, state, inputs).diffs) == []
    _, read, _ = plugin.read(CONTAINER, id, state, plugin.inputs(CONTAINER, inputs))
    assert list(plugin.diff(CONTAINER, id, read, inputs).diffs) == []


def test_a_loader_is_filled_and_not_started(plugin: Conversation, client: docker.APIClient) -> None:
    """A container with `start` and `mustRun` off gets its files and never runs, and shows no difference."""
    inputs: Values = {
        "name": "loader",
        "image": _image_id(plugin),
        "start": False,
        "mustRun": False,
        "uploads": [{"file": "/etc/app/a.conf", "content": "a=1\n", "permissions": "0640"}],
    }
    id, state = plugin.create(CONTAINER, inputs)
    assert not client.inspect_container(id)["State"]["Running"]
    chunks, _ = client.get_archive(id, "/etc/app/a.conf")
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
        member = tar.getmembers()[0]
        assert (tar.extractfile(member) or io.BytesIO()).read() == b"a=1\n"
        assert member.mode == 0o640
    _, read, _ = plugin.read(CONTAINER, id, state, plugin.inputs(CONTAINER, inputs))
    assert list(plugin.diff(CONTAINER, id, read, inputs).diffs) == []


def test_a_changed_healthcheck_is_an_update_that_does_nothing(
    plugin: Conversation, client: docker.APIClient
) -> None:
    """The state takes the new check, the container keeps the old one, and a refresh shows it again."""
    inputs = _web(plugin)
    id, state = plugin.create(CONTAINER, inputs)
    changed: Values = {**inputs, "healthcheck": {"tests": ["CMD", "true"], "interval": "20s", "retries": 3}}
    answer = plugin.diff(CONTAINER, id, state, changed)
    assert (list(answer.diffs), list(answer.replaces)) == (["healthcheck"], [])
    updated = plugin.update(CONTAINER, id, state, changed)
    assert client.inspect_container(id)["Config"]["Healthcheck"]["Interval"] == 10 * 10**9
    assert list(plugin.diff(CONTAINER, id, updated, changed).diffs) == []
    _, read, _ = plugin.read(CONTAINER, id, updated, plugin.inputs(CONTAINER, changed))
    assert list(plugin.diff(CONTAINER, id, read, changed).diffs) == ["healthcheck"]


def test_memory_and_restart_policy_change_in_place(plugin: Conversation, client: docker.APIClient) -> None:
    """What Docker can change is sent to the running container."""
    inputs = _web(plugin)
    id, state = plugin.create(CONTAINER, inputs)
    changed = {**inputs, "memory": 128, "memorySwap": 128, "restart": "always"}
    plugin.update(CONTAINER, id, state, changed)
    host = client.inspect_container(id)["HostConfig"]
    assert (host["Memory"], host["RestartPolicy"]["Name"]) == (128 * 1024 * 1024, "always")


@pytest.mark.parametrize(
    "change",
    [
        {"labels": [{"label": "homelab.endpoint", "value": "service:web/db"}]},
        {"envs": ["A=2"]},
        {"image": UNKNOWN},
        {"networksAdvanced": [{"name": "vnet-web", "ipv4Address": "10.128.0.6", "aliases": ["app"]}]},
        {"capabilities": {"drops": ["ALL"]}},
        {"readOnly": False},
        {"uploads": [{"file": "/x", "content": "y"}]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_most_changes_replace_and_delete_first(plugin: Conversation, change: Values) -> None:
    """The container's name is taken, so the old one goes first."""
    inputs = _web(plugin)
    id, state = plugin.create(CONTAINER, inputs)
    answer = plugin.diff(CONTAINER, id, state, {**inputs, **change})
    assert set(answer.replaces) == set(change)
    assert answer.deleteBeforeReplace


@pytest.mark.parametrize("name", ["labels", "envs", "command", "securityOpts", "healthcheck"])
def test_what_an_image_may_provide_is_silent_when_removed(plugin: Conversation, name: str) -> None:
    """Removing these shows no change at all, officially too."""
    inputs = _web(plugin)
    id, state = plugin.create(CONTAINER, inputs)
    del inputs[name]
    assert list(plugin.diff(CONTAINER, id, state, inputs).diffs) == []


def test_a_stopped_container_is_started_by_the_next_up(
    plugin: Conversation, client: docker.APIClient
) -> None:
    """A refresh reads `mustRun` as false, and the update that follows starts the container."""
    inputs = _web(plugin)
    id, state = plugin.create(CONTAINER, inputs)
    client.stop(id, timeout=0)
    _, read, _ = plugin.read(CONTAINER, id, state, plugin.inputs(CONTAINER, inputs))
    assert list(plugin.diff(CONTAINER, id, read, inputs).diffs) == ["mustRun"]
    plugin.update(CONTAINER, id, read, inputs)
    assert client.inspect_container(id)["State"]["Running"]


def test_waiting_needs_a_healthcheck_and_keeps_what_was_made(
    plugin: Conversation, client: docker.APIClient
) -> None:
    """A create that fails after the container exists keeps it with the reason; the next diff replaces it."""
    inputs: Values = {"name": "web", "image": _image_id(plugin), "wait": True}
    with pytest.raises(grpc.RpcError) as error:
        plugin.create(CONTAINER, inputs)
    assert "does not have a healthcheck defined" in error.value.details()
    state, _ = kept_state(error.value)
    assert client.inspect_container("web")["Id"] == state["id"]
    assert set(plugin.diff(CONTAINER, "x", state, inputs).replaces) == {"command", "entrypoints"}


def test_a_taken_name_is_the_engines_error(plugin: Conversation) -> None:
    """A container of the name is not adopted."""
    inputs = _web(plugin)
    plugin.create(CONTAINER, inputs)
    with pytest.raises(grpc.RpcError) as error:
        plugin.create(CONTAINER, inputs)
    assert "Unable to create container: Error response from daemon: Conflict" in error.value.details()


def test_published_ports_are_bound_and_stay_as_asked(plugin: Conversation) -> None:
    """Address and protocol have the official defaults, and two ports keep the program's order until a
    refresh.
    """
    inputs: Values = {
        "name": "web",
        "image": _image_id(plugin),
        "ports": [
            {"internal": 443, "external": 8443, "ip": "127.0.0.1"},
            {"internal": 53, "external": 5353, "protocol": "udp"},
        ],
    }
    id, state = plugin.create(CONTAINER, inputs)
    assert state["ports"] == [
        {"internal": 443, "external": 8443, "ip": "127.0.0.1", "protocol": "tcp"},
        {"internal": 53, "external": 5353, "ip": "0.0.0.0", "protocol": "udp"},
    ]
    assert list(plugin.diff(CONTAINER, id, state, inputs).diffs) == []


def test_an_upload_that_is_not_base64_is_refused() -> None:
    """Content that cannot be decoded is an error with the file's name, not an empty file."""
    with pytest.raises(Exception, match="/etc/key is not valid base64"):
        container_config.archive({"file": "/etc/key", "contentBase64": "not base64!"})


@pytest.mark.parametrize(
    ("text", "value"), [("10s", 10 * 10**9), ("1m30s", 90 * 10**9), ("0s", 0), ("1h0m0s", 3600 * 10**9)]
)
def test_durations_are_read_and_written_alike(text: str, value: int) -> None:
    """Docker's notation and nanoseconds, both ways."""
    assert nanoseconds(text) == value
    assert duration_text(value) == text
