"""A guard made by hand, one rule of each kind, and the hosts whose guards are golden."""

from dataclasses import replace
from typing import Any

from lab.flows import Port
from lab.plan.records import GuardPlan, GuardRule, ServicePlan

GUARDED = (
    *(("dev", "docker-1"), ("docker-front-back", "docker-srv"), ("per-service-networks", "omakase")),
    *(("four-vlans-dmz", "authentik"), ("four-vlans-dmz", "n8n"), ("four-vlans-dmz", "tantive-iii")),
)
WEB, DB, OUT = "br-00000001", "br-00000002", "br-00000003"
WITHIN = GuardRule(
    way="within",
    interface=WEB,
    source="10.128.0.2",
    destination="10.128.0.3",
    port=Port(5432),
    because="app needs it",
)
LEAVING = replace(WITHIN, way="out", interface=OUT, source="10.128.1.2", destination="10.10.30.50")
LOCAL = replace(LEAVING, way="local", destination="10.10.20.11")
ARRIVING = GuardRule(
    way="in", source="10.10.30.0/24", destination="10.10.20.11", port=Port(443), because="audience iot"
)


def guard(*rules: GuardRule, **changes: Any) -> GuardPlan:
    """A guard of three bridges."""
    made = GuardPlan(
        host="docker-1",
        bridges={WEB: "vnet-web", DB: "vnet-data", OUT: "out-web-app"},
        rules=rules,
        service=ServicePlan(name="guard", image="none"),
    )
    return replace(made, **changes)


def version(text: str) -> str:
    """The version that a file names in its head."""
    return next(line for line in text.splitlines() if line.startswith("# version: "))[len("# version: ") :]
