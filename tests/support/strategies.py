"""Labs made by hypothesis: any number of stacks on two hosts, with needs, routes and declared sizes.

Every lab that comes out is one that a person could have declared without a mistake, so
that whatever a test finds is the planner's doing. Names are few and short, so that
labs of one run overlap in what they name and additions, removals and returns happen.
"""

from typing import Any

from hypothesis import strategies as st

from tests.support.builders import TAILSCALE, guest, ingress, route, service

HOSTS = ("docker-1", "docker-2")
STACKS = ("auth", "blog", "media", "notes", "wiki")
SERVICES = ("app", "cache", "db", "ui")
GUESTS = ("backup", "dns", "siem")
EDGE_SLOTS = len(STACKS) * len(SERVICES)
"""One for every service there may be, so that slots never run out."""
SIZES = {"media": 26, "notes": 27}
"""Stacks whose size is declared: always the same one, because a new size moves a network rightly."""


@st.composite
def stacks(draw: st.DrawFn) -> dict[str, Any]:
    """Some stacks, each with some services."""
    names = draw(st.lists(st.sampled_from(STACKS), unique=True, max_size=len(STACKS)))
    found = {name: draw(_stack(name)) for name in names}
    members = [
        (stack, name)
        for stack, part in found.items()
        for name in part["services"]
        if part["host"] == HOSTS[0]
    ]
    for stack, part in found.items():
        for name, needing in part["services"].items():
            others = [(s, n) for s, n in members if (s, n) != (stack, name) and part["host"] == HOSTS[0]]
            if others:
                wanted = draw(st.lists(st.sampled_from(others), unique=True, max_size=2))
                needing["needs"] = [f"{s}/{n}:80" for s, n in wanted]
    return found


@st.composite
def _stack(draw: st.DrawFn, name: str) -> dict[str, Any]:
    services = {
        part: draw(_service(f"{name}-{part}"))
        for part in draw(st.lists(st.sampled_from(SERVICES), unique=True, min_size=1, max_size=len(SERVICES)))
    }
    found: dict[str, Any] = {"host": draw(st.sampled_from(HOSTS)), "services": services}
    if name in SIZES:
        found["size"] = SIZES[name]
    return found


@st.composite
def _service(draw: st.DrawFn, host_name: str) -> dict[str, Any]:
    made = service(listens=[80])
    if draw(st.booleans()):
        made["egress"] = True
    if draw(st.booleans()):
        made["route"] = route(host_name)
    if volumes := draw(st.sampled_from(({}, {"data": "/data", "cache": "/cache"}))):
        made["volumes"] = dict(volumes)
    if environment := draw(st.sampled_from(({}, {"B": "2", "A": "1"}))):
        made["environment"] = dict(environment)
    return made


@st.composite
def labs(draw: st.DrawFn) -> dict[str, Any]:
    """A whole lab, as it would stand in a file."""
    found: dict[str, Any] = {
        "domain": "lab.example",
        "pools": {
            # The first half of the second pool is one of Docker's own default pools.
            "docker": draw(st.sampled_from(("10.128.0.0/16", "192.168.0.0/15"))),
            "edge": draw(st.sampled_from(("10.144.0.0/20", "10.128.0.0/18"))),
        },
        "reserved": {"office": {"subnet": "10.128.0.64/26", "because": "the office uses it"}},
        "vlans": {
            "services": {"id": 20, "subnet": "10.10.20.0/24", "dhcp": ".100-.200"},
            "media": {"id": 30, "subnet": draw(st.sampled_from(("10.10.30.0/24", "10.128.1.0/24")))},
        },
        "nodes": {"pve": {"address": "10.10.20.2"}},
        "tailnet": {"groups": {"admins": ["admin@example.com"], "family": ["kin@example.com"]}},
        "ingress": ingress(slots=EDGE_SLOTS),
    }
    return {**found, **draw(tenants())}


@st.composite
def tenants(draw: st.DrawFn) -> dict[str, Any]:
    """What comes and goes in a lab: its guests and stacks. Put it in place of another lab's."""
    extra = draw(st.lists(st.sampled_from(GUESTS), unique=True, max_size=len(GUESTS)))
    found: dict[str, Any] = {
        "guests": {
            **{host: guest(address=11 + index, runs="docker") for index, host in enumerate(HOSTS)},
            **{name: guest(vlan="media" if name == "siem" else "services") for name in extra},
        },
        "stacks": draw(stacks()),
    }
    if draw(st.booleans()):
        found["stacks"]["way-in"] = {
            "host": HOSTS[0],
            "tailscale": {"advertise": "ingress", "image": TAILSCALE},
        }
    return found


def shuffled(value: Any, draw: Any) -> Any:
    """The same mapping with its keys in another order, all the way down."""
    if isinstance(value, dict):
        keys = draw(st.permutations(list(value)))
        return {key: shuffled(value[key], draw) for key in keys}
    return value
