"""Docker hosts: which machines have an engine, and where it is reached."""

from dataclasses import replace
from typing import Any

from lab.config.machines import EngineConfig
from lab.names import did_you_mean
from lab.plan.draft import Draft
from lab.plan.places import Places
from lab.plan.records import DockerHostPlan, EngineFacts

LOADER_IMAGE = (
    "docker.io/library/busybox:1.37.0@sha256:9532d8c39891ca2ecde4d30d7710e01fb739c87a8b9299685c63704296b16028"
)
"""The image of loader containers, which carry files into a volume and are never started."""

BOOTSTRAPPED = EngineFacts(version=20, userland_proxy=True, bridge_netfilter=True, firewall="iptables")
"""What the bootstrap file of a guest makes its engine (`lab/render/bootstrap.py`, Debian 12's docker.io)."""


def plan_docker_hosts(draft: Draft, places: Places) -> dict[str, DockerHostPlan]:
    """Every machine that runs docker, by name."""
    config = draft.config
    hosts: dict[str, DockerHostPlan] = {}
    user = config.operator.user
    machines = {name: guest.runs for name, guest in config.guests.items()}
    for name, device in config.devices.items():
        if name in machines:
            draft.refuse(f"devices.{name}", f'"{name}" is also a guest', "give one of them another name")
        machines.setdefault(name, device.runs)
    for name in sorted(name for name, runs in machines.items() if runs == "docker"):
        address = places.of_machine(name) or ""
        if not address:
            kind = "guests" if name in config.guests else "devices"
            draft.refuse(
                f"{kind}.{name}.address", "a Docker host needs a fixed address", "write one, such as 11"
            )
        hosts[name] = DockerHostPlan(
            name=name,
            address=address,
            connection=config.connections.get(
                name, f"ssh://{user}@{address}" if user else f"ssh://{address}"
            ),
            guest=name if name in config.guests else None,
            engine=_engine(draft, name),
            loader_image=LOADER_IMAGE,
        )
    return hosts


def _engine(draft: Draft, name: str) -> EngineFacts:
    """What was declared, and for the rest what our own bootstrap file makes of a VM."""
    guest = draft.config.guests.get(name)
    if guest is None:
        return replace(EngineFacts(), **_known(draft.config.devices[name].engine))
    made = BOOTSTRAPPED if guest.kind == "vm" and guest.manage == "yes" else EngineFacts()
    if guest.image is not None:
        made = replace(made, version=None)
    return replace(made, **_known(guest.engine))


def _known(declared: EngineConfig) -> dict[str, Any]:
    return {key: value for key, value in declared.__dict__.items() if value is not None}


def known_host(draft: Draft, hosts: dict[str, DockerHostPlan], name: str, path: str) -> DockerHostPlan | None:
    """The Docker host of that name, or a problem noted."""
    if name in hosts:
        return hosts[name]
    if name in draft.config.guests or name in draft.config.devices:
        draft.refuse(
            path, f'"{name}" has no Docker Engine', "add runs: docker to it, or place this elsewhere"
        )
    else:
        draft.refuse(path, f'there is no Docker host "{name}"', did_you_mean(name, hosts))
    return None
