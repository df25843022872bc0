"""The simulated engine as a whole: identity, images, volumes, persistence, speed."""

import statistics
import time
from pathlib import Path

import docker
import pytest
import requests
from docker.errors import APIError, ImageNotFound, NotFound

from sandbox.conformance.serving import served_on_loopback, served_on_socket
from sandbox.docker.simulated import application
from sandbox.store import Store

DIGEST = "sha256:" + "a" * 64


def test_it_says_that_it_is_a_simulation(engine: docker.DockerClient) -> None:
    """Version and info name the simulation, and the API version is 1.41."""
    assert engine.ping() is True
    version = engine.version()
    assert version["Platform"] == {"Name": "homelab simulated engine"}
    assert version["ApiVersion"] == engine.api.api_version == "1.41"
    assert engine.info()["OperatingSystem"] == "homelab simulated engine"


def test_paths_work_with_and_without_version() -> None:
    """Both forms answer; a newer version is refused; what is not simulated is said to be so."""
    with served_on_loopback(application(Store(":memory:"), name="g")) as url:
        assert requests.head(f"{url}/_ping", timeout=5).headers["Api-Version"] == "1.41"
        assert (
            requests.get(f"{url}/networks", timeout=5).json()
            == requests.get(f"{url}/v1.24/networks", timeout=5).json()
        )
        newer = requests.get(f"{url}/v1.99/info", timeout=5)
        assert newer.status_code == 400
        assert newer.json()["message"].startswith("client version 1.99 is too new.")
        build = requests.post(f"{url}/v1.41/build", timeout=5)
        assert build.status_code == 501
        assert "POST /build is not answered by the sandbox's simulated engine" in build.json()["message"]


def test_any_reference_can_be_pulled_with_a_stable_id(engine: docker.DockerClient) -> None:
    """A digest reference is found with and without its tag; the id does not depend on the engine."""
    image = engine.images.pull(f"docker.io/vaultwarden/server:1.32.7@{DIGEST}")
    assert image.attrs["RepoDigests"] == [f"vaultwarden/server@{DIGEST}"]
    for name in (f"vaultwarden/server@{DIGEST}", f"docker.io/vaultwarden/server:1.32.7@{DIGEST}", image.id):
        assert engine.images.get(str(name)).id == image.id
    engine.images.remove(str(image.id))
    with pytest.raises(ImageNotFound, match="No such image"):
        engine.images.get(str(image.id))
    assert engine.images.pull(f"vaultwarden/server@{DIGEST}").id == image.id


def test_wrong_references_are_refused(engine: docker.DockerClient) -> None:
    """A reference with upper case or blanks is a 400 with the engine's text."""
    with pytest.raises(APIError, match="invalid reference format: repository name must be lowercase"):
        engine.images.get("UPPER case")


def test_an_image_in_use_stays(engine: docker.DockerClient) -> None:
    """An image that a container uses is not deleted."""
    container = engine.containers.create("nginx:1.27", name="web")
    with pytest.raises(APIError) as error:
        engine.images.remove("nginx:1.27")
    assert error.value.response is not None
    assert error.value.response.status_code == 409
    assert f"container {str(container.id)[:12]} is using its referenced image" in str(error.value.explanation)
    container.remove()
    engine.images.remove("nginx:1.27")
    assert engine.images.list() == []


def test_volumes(engine: docker.DockerClient) -> None:
    """A volume in use stays, an existing name is adopted, options and names are checked."""
    volume = engine.volumes.create("data", labels={"a": "b"})
    assert volume.attrs["Mountpoint"] == "/var/lib/docker/volumes/data/_data"
    assert engine.volumes.create("data", labels={"a": "other"}).attrs["Labels"] == {"a": "b"}
    container = engine.containers.create("nginx:1.27", volumes={"data": {"bind": "/data"}})
    with pytest.raises(APIError, match="volume is in use"):
        volume.remove()
    container.remove()
    volume.remove()
    with pytest.raises(NotFound, match="get data: no such volume"):
        engine.volumes.get("data")
    with pytest.raises(APIError, match="missing required option"):
        engine.volumes.create("data", driver_opts={"type": "5"})
    with pytest.raises(APIError, match="includes invalid characters for a local volume name"):
        engine.volumes.create("rec vol!")


def test_state_survives_a_restart(tmp_path: Path) -> None:
    """An engine over the same store file finds everything again; another name finds nothing."""
    for turn in range(2):
        store = Store(tmp_path / "state.db")
        with served_on_socket(application(store, name="docker-1"), tmp_path / f"{turn}.sock") as url:
            client = docker.DockerClient(base_url=url)
            if turn == 0:
                client.images.pull("nginx:1")
                client.containers.run("nginx:1", name="web", detach=True)
            assert client.containers.get("web").status == "running"
            client.close()
        store.close()
    store = Store(tmp_path / "state.db")
    with served_on_socket(application(store, name="docker-2"), tmp_path / "other.sock") as url:
        client = docker.DockerClient(base_url=url)
        assert client.containers.list(all=True) == []
        client.close()
    store.close()


def test_requests_are_fast(engine: docker.DockerClient) -> None:
    """With 25 networks and containers the median request takes under 5 ms of processor time."""
    for number in range(25):
        engine.networks.create(f"n{number}")
        engine.containers.run("nginx:1.27", name=f"c{number}", network=f"n{number}", detach=True)
    times = []
    for number in range(25):
        for call in (engine.api.inspect_container, engine.api.inspect_network):
            name = f"{'c' if call == engine.api.inspect_container else 'n'}{number}"
            start = time.process_time()
            call(name)
            times.append(time.process_time() - start)
    assert statistics.median(times) < 0.005
