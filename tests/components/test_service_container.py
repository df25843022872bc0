"""What a service becomes, and what never happens to it."""

from dataclasses import replace

import pulumi
import pytest

import components as c
from lab.errors import PlanError
from lab.plan.records import FilePlan, HealthPlan, PublishedPort, ServicePlan, VolumePlan
from tests.components import records as r
from tests.support.engine import Recording, Registration, Secret, record


def registered(service: ServicePlan, token: str = r.CANARY) -> Recording:
    """The service on its host."""

    def program() -> None:
        args = c.ServiceContainerArgs(
            service=service,
            host=r.engine(),
            container="web-app",
            networks={"vnet-web": "vnet-web"},
            secrets={"token": pulumi.Output.secret(token)},
        )
        c.ServiceContainer("docker-1-web-app", args)

    return record(program)


def container(service: ServicePlan, token: str = r.CANARY) -> Registration:
    """The service's container."""
    return registered(service, token).one("Container", "docker-1-web-app")


def test_everything_is_taken_from_a_container_first() -> None:
    """A service has no capability, no way to new privileges, and is not privileged."""
    inputs = container(r.SERVICE).inputs
    assert inputs["capabilities"] == {"drops": ["ALL"]}
    assert inputs["securityOpts"] == ["no-new-privileges:true"]
    assert "privileged" not in inputs


def test_kept_capabilities_are_canonical_and_sorted() -> None:
    """Capabilities are written as the engine gives them back, or each refresh would replace the container."""
    inputs = container(replace(r.SERVICE, capabilities=("setuid", "CAP_CHOWN"))).inputs
    assert inputs["capabilities"]["adds"] == ["CAP_CHOWN", "CAP_SETUID"]


def test_a_privileged_service_is_confined_by_nothing() -> None:
    """Privileged means privileged: a list of dropped capabilities beside it would only look like a limit."""
    inputs = container(replace(r.SERVICE, privileged=True)).inputs
    assert inputs["privileged"] is True
    assert "capabilities" not in inputs


def test_a_service_without_networks_has_none() -> None:
    """Nothing lands on Docker's default bridge because nobody said where it belongs."""
    inputs = container(replace(r.SERVICE, attachments=())).inputs
    assert inputs["networkMode"] == "none"
    assert "networksAdvanced" not in inputs


def test_a_service_joins_its_networks_at_its_addresses() -> None:
    """Addresses and aliases are the record's, and the network mode stays the provider's own."""
    inputs = container(r.SERVICE).inputs
    assert inputs["networksAdvanced"] == [
        {"name": "vnet-web", "ipv4Address": "10.128.0.2", "aliases": ["app"]}
    ]
    assert "networkMode" not in inputs


def test_host_network_and_processes_are_the_host_s() -> None:
    """A service that is declared to share its host's namespaces does."""
    inputs = container(replace(r.SERVICE, attachments=(), host_network=True, host_processes=True)).inputs
    assert (inputs["networkMode"], inputs["pidMode"]) == ("host", "host")


def test_labels_tell_a_probe_what_this_is() -> None:
    """The labels hold the endpoint, its sorted ports, whether it speaks HTTP, and the environment."""
    labels = {part["label"]: part["value"] for part in container(r.SERVICE).inputs["labels"]}
    assert labels == {
        "homelab.endpoint": "service:web/app",
        "homelab.environment": "dev",
        "homelab.http": "no",
        "homelab.listens": "53/udp,80/tcp,443/tcp",
    }


def test_memory_has_no_swap() -> None:
    """Memory and memory with swap are equal: left out, the engine doubles it and each refresh differs."""
    inputs = container(replace(r.SERVICE, memory_mib=256, cpus=0.5)).inputs
    assert (inputs["memory"], inputs["memorySwap"], inputs["cpus"]) == (256, 256, "0.5")


def test_published_ports_are_in_the_engine_s_order() -> None:
    """Two published ports are sorted, because another order is a replacement at the first refresh."""
    ports = (
        PublishedPort(internal=443, external=443, address="10.10.20.11"),
        PublishedPort(internal=53, external=53, address="10.10.20.11", protocol="udp"),
    )
    found = container(replace(r.SERVICE, published=ports)).inputs["ports"]
    assert [(p["internal"], p["protocol"], p["ip"]) for p in found] == [
        (53, "udp", "10.10.20.11"),
        (443, "tcp", "10.10.20.11"),
    ]


@pytest.mark.parametrize(("seconds", "text"), [(30, "30s"), (90, "1m30s"), (3600, "1h0m0s")])
def test_health_check_intervals_are_written_as_the_engine_does(seconds: int, text: str) -> None:
    """An interval is written in the engine's own form, or each refresh would differ."""
    health = HealthPlan(command=("true",), interval=seconds)
    found = container(replace(r.SERVICE, health=health)).inputs["healthcheck"]
    assert found["interval"] == text
    assert found["tests"] == ["CMD", "true"]


def test_the_image_is_the_one_that_was_pulled() -> None:
    """The container runs the image's id, and the image outlives it."""
    recording = registered(r.SERVICE)
    assert recording.one("RemoteImage", "docker-1-web-app").inputs == {
        "name": r.SERVICE.image,
        "keepLocally": True,
    }
    assert recording.one("Container").inputs["image"] == "sha256:docker-1-web-app"


def test_what_the_provider_would_ignore_replaces() -> None:
    """The old container goes first, and a change that an update would drop makes a new one."""
    found = container(r.SERVICE)
    assert found.delete_before_replace is True
    assert set(found.replace_on_changes) >= {"healthcheck", "tmpfs", "init", "mounts", "#initerror"}


def test_a_container_is_given_time_to_stop() -> None:
    """Without a grace period the provider kills at once, a database too."""
    assert container(replace(r.SERVICE, stop_grace=60)).inputs["destroyGraceSeconds"] == 60


def test_everything_waits_for_the_engine() -> None:
    """Nothing is created on a host before its engine has answered."""
    recording = registered(replace(r.SERVICE, volumes=(VolumePlan(name="data", mount="/data"),)))
    barrier = recording.one("RemoteImage", "docker-1-loader").urn
    for found in recording.of("Container") + recording.of("Volume"):
        assert barrier in found.depends_on, found.urn
    assert barrier in recording.one("RemoteImage", "docker-1-web-app").depends_on


def test_data_volumes_belong_to_one_service() -> None:
    """A volume's name holds its stack and service, so two services' `data` are not one volume."""
    recording = registered(replace(r.SERVICE, volumes=(VolumePlan(name="data", mount="/data"),)))
    assert recording.one("Volume").inputs["name"] == "web-app-data"
    assert recording.one("Container").inputs["mounts"] == [
        {"type": "volume", "target": "/data", "source": "web-app-data"}
    ]


@pytest.mark.parametrize("protect", [True, False])
def test_protection_follows_the_declaration(protect: bool) -> None:
    """A protected volume can neither be deleted by a change nor go with its resource."""
    volume = VolumePlan(name="data", mount="/data", protect=protect)
    found = registered(replace(r.SERVICE, volumes=(volume,))).one("Volume")
    assert (found.protect, found.retain_on_delete) == (protect, protect)


def test_binds_are_read_only_and_the_socket_only_where_it_is_declared() -> None:
    """Paths of the host are mounted read-only, under the place that the record names."""
    found = container(replace(r.SERVICE, binds={"/proc": "/host/proc"}, docker_socket=True)).inputs["mounts"]
    assert found == [
        {"type": "bind", "target": "/host/proc", "source": "/proc", "readOnly": True},
        {
            "type": "bind",
            "target": "/var/run/docker.sock",
            "source": "/var/run/docker.sock",
            "readOnly": True,
        },
    ]
    assert "mounts" not in container(r.SERVICE).inputs


def test_secrets_are_files_and_never_variables() -> None:
    """A container's variables hold the secret's path; its value is only in the loader's upload."""
    recording = registered(replace(r.SERVICE, secret_files=(r.SECRET_FILE,)))
    main = recording.one("Container", "docker-1-web-app")
    assert main.inputs["envs"] == ["TOKEN_FILE=/run/homelab/secrets/token"]
    assert main.inputs["mounts"][0]["target"] == "/run/homelab/secrets"
    assert main.inputs["mounts"][0]["readOnly"] is True
    loader = recording.one("Container", "docker-1-web-app-secrets-loader")
    assert loader.inputs["uploads"][0]["content"] == Secret(r.CANARY)
    assert loader.urn in main.depends_on


def test_a_form_surrounds_the_secret_and_stays_secret() -> None:
    """A URL with the password inside is as secret as the password."""
    file = replace(r.SECRET_FILE, form="postgresql://app:{secret}@db/app")
    recording = registered(replace(r.SERVICE, secret_files=(file,)))
    loader = recording.one("Container", "docker-1-web-app-secrets-loader")
    assert loader.inputs["uploads"][0]["content"] == Secret(f"postgresql://app:{r.CANARY}@db/app")


def test_changed_files_replace_the_container() -> None:
    """A container reads its files once, so it is replaced with the loader that writes them anew."""
    files = (FilePlan(path="/run/homelab/files/a", content="one"),)
    recording = registered(replace(r.SERVICE, files=files, secret_files=(r.SECRET_FILE,)))
    loaders = {found.urn for found in recording.of("Container") if found.name.endswith("-loader")}
    assert len(loaders) == 2
    assert set(recording.one("Container", "docker-1-web-app").replace_with) == loaders


def test_no_digest_of_a_secret_is_kept() -> None:
    """A rotated secret changes one upload and nothing else: a digest is a way to guess a weak one."""
    service = replace(r.SERVICE, secret_files=(r.SECRET_FILE,))
    before, after = registered(service, "one"), registered(service, "two")
    pairs = [(found, after.one(found.type, found.name)) for found in before.resources]
    changed = [one.name for one, two in pairs if one != two]
    assert changed == ["docker-1-web-app-secrets-loader"]
    assert before.outputs == after.outputs


def test_a_service_without_files_has_no_loader() -> None:
    """Nothing is made for files where there are none."""
    recording = registered(r.SERVICE)
    assert recording.of("ConfigVolume") == []
    assert recording.one("Container").replace_with == ()


def test_other_files_are_copied_into_a_writable_container() -> None:
    """A file with a path of the image's own is copied into the container before it starts."""
    file = FilePlan(path="/etc/app/app.conf", content="x")
    inputs = container(replace(r.SERVICE, files=(file,))).inputs
    assert inputs["uploads"] == [{"file": "/etc/app/app.conf", "content": "x", "permissions": "0444"}]


def test_other_files_in_a_read_only_container_are_refused() -> None:
    """The engine could not put it there; the error says so, and what to do."""
    file = FilePlan(path="/etc/app/app.conf", content="x")
    with pytest.raises(PlanError, match="cannot be put into a read-only container") as caught:
        container(replace(r.SERVICE, files=(file,), read_only=True))
    assert "give it a path below /run/homelab/files" in str(caught.value)
