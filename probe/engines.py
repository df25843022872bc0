"""What an engine says about itself, beside what the proof takes to be so."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from docker.errors import DockerException

from lab.plan.records import DockerHostPlan
from probe.containers import EngineUnreachable, engine_client


@dataclass(frozen=True)
class Fact:
    """A fact of an engine that is not what the proof rests on."""

    host: str
    what: str
    taken: str
    found: str


def facts_against(host: DockerHostPlan, connection: str) -> Iterator[Fact]:
    """The facts of an engine that differ from the declared ones, or that nobody declared.

    Whether the userland proxy is on is not among them: no engine says so.

    Raises:
        EngineUnreachable: it does not answer.
    """
    try:
        with contextlib.closing(engine_client(connection)) as client:
            version, info = client.version(), client.info()
    except DockerException as error:
        raise EngineUnreachable(
            f"the Docker Engine of {host.name} does not answer at {connection}: {error}"
        ) from None
    if "simulated" in str(version.get("Version", "")) or info.get("Driver") == "simulated":
        return
    found = {
        "version": int(str(version["Version"]).partition(".")[0]),
        "bridge-netfilter": bool(info.get("BridgeNfIptables")),
    }
    taken = {"version": host.engine.version, "bridge-netfilter": host.engine.bridge_netfilter}
    for what, value in found.items():
        if taken[what] != value:
            yield Fact(host.name, what, _said(taken[what]), _said(value))


def _said(value: object) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
