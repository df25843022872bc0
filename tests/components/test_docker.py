"""Docker hosts, their networks, stacks and configuration volumes."""

from dataclasses import replace

import pulumi
import pytest

import components as c
from lab.plan.records import AttachmentPlan, DockerFilterPlan, NetworkPlan, StackPlan
from tests.components import records as r
from tests.support.engine import record

LINK = NetworkPlan(name="link-a--b", subnet="10.128.2.0/29", gateway="10.128.2.1", interface="br-00000009")


def test_the_first_resource_of_a_host_asks_its_engine() -> None:
    """The loader's image has a hook before its creation, and it is the host's only such thing."""
    recording = record(lambda: r.engine())
    assert recording.one("RemoteImage").before_create == ("docker-1-ready",)
    assert recording.hooks == ["docker-1-ready"]


def test_a_host_is_asked_after_its_machine_is_there() -> None:
    """An engine is not waited for while the guest that it runs in is not created."""

    def program() -> None:
        guest = c.Guest("guest-docker-1", c.GuestArgs(guest=r.VM))
        c.DockerHost("docker-1", c.DockerHostArgs(host=r.HOST, machine=guest))

    recording = record(program)
    assert recording.one("VmLegacy", "guest-docker-1").urn in recording.one("RemoteImage").depends_on


def test_everything_on_a_host_goes_through_its_provider() -> None:
    """Two hosts' resources never meet: each is reached by its own provider and by no other."""

    def program() -> None:
        for name in ("docker-1", "edge"):
            stack = StackPlan(name="web", host=name, networks=(r.NETWORK,), services=(r.SERVICE,))
            host = c.DockerHost(name, c.DockerHostArgs(host=replace(r.HOST, name=name)))
            c.IsolatedServiceStack(f"{name}-web", c.IsolatedServiceStackArgs(stack=stack, host=host))

    recording = record(program)
    for kind in ("Container", "Network", "RemoteImage"):
        for found in recording.of(kind):
            host = "docker-1" if found.name.startswith("docker-1") else "edge"
            assert found.provider == recording.one("pulumi:providers:docker", host).urn


def test_a_network_is_made_as_decided() -> None:
    """Subnet, gateway, interface and isolation are the record's, and the old network goes first."""
    recording = record(
        lambda: c.IsolatedServiceStack(
            "docker-1-web", c.IsolatedServiceStackArgs(stack=r.STACK, host=r.engine())
        )
    )
    network = recording.one("Network")
    assert network.inputs["internal"] is True
    assert network.inputs["ipamConfigs"] == [{"subnet": "10.128.0.0/28", "gateway": "10.128.0.1"}]
    assert network.inputs["options"] == {"com.docker.network.bridge.name": "br-00000001"}
    assert network.delete_before_replace is True
    assert network.urn in recording.one("Container").depends_on


def test_a_stack_does_not_create_what_it_is_handed() -> None:
    """A slot or a link that exists already is joined, by the output of whoever owns it."""
    service = replace(r.SERVICE, attachments=(AttachmentPlan(network=LINK.name, address="10.128.2.2"),))
    stack = StackPlan(name="a", host="docker-1", networks=(LINK,), services=(service,))

    def program() -> None:
        host = r.engine()
        links = c.StackLinks("docker-1-links", c.StackLinksArgs(networks=(LINK,), host=host))
        c.IsolatedServiceStack(
            "docker-1-a",
            c.IsolatedServiceStackArgs(stack=stack, host=host, shared_networks=links.networks),
        )

    recording = record(program)
    assert recording.one("Network").name == "docker-1-links-link-a--b"
    assert recording.one("Network").urn in recording.one("Container").depends_on


def test_a_proxy_of_the_docker_api_gets_its_rules() -> None:
    """Its rights are in a file that a loader carries and its variables name; it starts anew with that file."""
    proxy = replace(
        r.SERVICE,
        docker_socket=True,
        docker_filter=DockerFilterPlan(kind="cetusguard", consumer="web/app", rights=("list",)),
    )
    stack = StackPlan(name="web", host="docker-1", networks=(r.NETWORK,), services=(proxy,))
    recording = record(
        lambda: c.IsolatedServiceStack(
            "docker-1-web", c.IsolatedServiceStackArgs(stack=stack, host=r.engine())
        )
    )
    container = recording.one("Container", "docker-1-web-app")
    (loader,) = [found for found in recording.of("Container") if found.name != container.name]
    (rules,) = loader.inputs["uploads"]
    assert f"CETUSGUARD_RULES_FILE={rules['file']}" in container.inputs["envs"]
    assert rules["content"].endswith("/containers/json(?:\\?.*)?\n")
    assert container.replace_with == (loader.urn,)


def _config_volume(files: dict[str, pulumi.Input[str]], watched: bool = False) -> c.ConfigVolumeArgs:
    return c.ConfigVolumeArgs(
        host=r.engine(),
        volume="web-app-files",
        mount="/run/homelab/files",
        files=files,
        watched=watched,
    )


def _volume_name(files: dict[str, pulumi.Input[str]], watched: bool = False) -> str:
    recording = record(lambda: c.ConfigVolume("v", _config_volume(files, watched)))
    return str(recording.one("Volume").inputs["name"])


def test_a_loader_is_never_started() -> None:
    """The loader carries files into the volume, and no process of it ever runs, not even with a network."""
    recording = record(lambda: c.ConfigVolume("v", _config_volume({"/run/homelab/files/a": "x"})))
    loader = recording.one("Container").inputs
    assert (loader["start"], loader["mustRun"], loader["networkMode"]) == (False, False, "none")
    assert loader["mounts"] == [
        {"type": "volume", "target": "/run/homelab/files", "source": recording.one("Volume").inputs["name"]}
    ]


def test_a_dropped_file_takes_its_volume_along() -> None:
    """The volume's name follows the set of paths and not their content."""
    one = _volume_name({"/run/homelab/files/a": "x"})
    assert one == _volume_name({"/run/homelab/files/a": "y"})
    assert one != _volume_name({"/run/homelab/files/a": "x", "/run/homelab/files/b": "x"})


def test_a_watched_file_is_replaced_in_one_step() -> None:
    """It is copied beside what the reader sees, and renamed over it, so that nobody ever reads none or half of it."""
    files: dict[str, pulumi.Input[str]] = {"/run/homelab/files/now/a": "x"}
    loader = record(lambda: c.ConfigVolume("v", _config_volume(files, watched=True))).one("Container").inputs
    assert (loader["start"], loader["mustRun"], loader["networkMode"]) == (True, False, "none")
    assert [upload["file"] for upload in loader["uploads"]] == ["/run/homelab/files/next/a"]
    [*_, script] = loader["command"]
    assert script.endswith("mv -f /run/homelab/files/next/* /run/homelab/files/now/")


def test_a_watched_volume_keeps_its_name() -> None:
    """Who watches a volume is not replaced when a file comes or goes."""
    assert _volume_name({"/run/homelab/files/a": "x"}, watched=True) == "web-app-files"


@pytest.mark.parametrize("kind", ["Container", "Network"])
def test_what_exists_once_is_removed_before_it_is_replaced(kind: str) -> None:
    """Names and addresses are fixed, so two of them cannot be there at a time."""
    recording = record(
        lambda: c.IsolatedServiceStack(
            "docker-1-web",
            c.IsolatedServiceStackArgs(
                stack=r.stack_with(secret_files=(r.SECRET_FILE,)), host=r.engine(), secrets={"token": "x"}
            ),
        )
    )
    assert recording.of(kind)
    assert all(found.delete_before_replace for found in recording.of(kind))


def test_a_volume_with_files_is_made_before_the_old_one_goes() -> None:
    """Its reader still mounts the old one then, and the engine does not remove a volume in use."""
    recording = record(lambda: c.ConfigVolume("v", _config_volume({"/run/homelab/files/a": "x"})))
    assert recording.one("Volume").delete_before_replace is False
