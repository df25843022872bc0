"""Small labs made by hypothesis, with everything in them that decides about packets.

Segments are so small that every address of them can be tried. Names and numbers are few,
so that things meet. What the planner refuses is not tried again in another way.
"""

from typing import Any

from hypothesis import strategies as st

from lab.config.load import parse
from lab.ledger import Ledger
from lab.plan import plan_with_ledger
from lab.plan.records import LabPlan
from tests.support.builders import TAILSCALE, Raw, guest, ingress, route, service

_LISTENS = (80, 5432, "53/udp", "8000-8010")
_SERVICES = ("app", "db", "ui")
_STACKS = ("blog", "wiki")
_VLANS: dict[str, Raw] = {
    "services": {"id": 20, "subnet": "10.10.20.0/28", "dhcp": ".12-.14"},
    "iot": {"id": 30, "subnet": "10.10.30.0/29", "dhcp": ".5-.6"},
    "office": {"subnet": "10.10.40.0/29"},
    "lab": {"subnet": "10.10.50.0/29"},
}
_ENDS = (
    *(
        "vlan:services",
        "vlan:iot",
        "vlan:office",
        "internet",
        "operator",
        "nodes",
        "guests",
        "ingress",
        "tailnet",
    ),
    *("guest:siem", "guest:docker-1", "device:tv", "device:nas", "set:some"),
    *("service:wiki/app", "service:wiki/db", "service:blog/app", "stack:wiki", "tailnet:admins"),
)
_PORTS = ("", ":80", ":443", ":53/udp", ":8000-8010", ":22")


def _yes(draw: st.DrawFn) -> bool:
    return draw(st.booleans())


def _yes_no(draw: st.DrawFn) -> str:
    return draw(st.sampled_from(("yes", "no")))


@st.composite
def small_plans(draw: st.DrawFn) -> LabPlan:
    """The plan of a small lab, as a person could have declared it."""
    return plan_with_ledger(parse(draw(small_labs())), Ledger(), environment="test")[0]


@st.composite
def small_labs(draw: st.DrawFn) -> Raw:
    """A small lab as it stands in a file."""
    names = ["services", *draw(st.lists(st.sampled_from(("iot", "office", "lab")), unique=True))]
    vlans = {name: {**_VLANS[name], "internet": _yes_no(draw), "manage": _manage(draw)} for name in names}
    for name in names:
        vlans[name]["nat"] = draw(st.sampled_from(("no", "no", "yes")))
    nodes = draw(_nodes(vlans))
    for name in ("office", "lab"):
        # An untagged interface on a bridge that is made here is refused.
        if name in vlans and ("bridge" in nodes["pve"] or _yes(draw)):
            vlans[name]["bridge"] = draw(st.sampled_from(("vmbr1", "vmbr2")))
    raw: Raw = {
        "domain": "lab.example",
        "vlans": vlans,
        "router": {"kind": draw(st.sampled_from(("none", "node", "unifi")))},
        "owns": draw(
            st.sampled_from(
                (["cluster-firewall", "tailnet-policy"], ["cluster-firewall"], ["tailnet-policy"])
            )
        ),
        "nodes": nodes,
        "guests": draw(_guests(vlans)),
        "devices": draw(_devices(vlans)),
    }
    if _yes(draw):
        raw["operator"] = {"vlan": "services"} | ({"address": 9} if _yes(draw) else {})
    hosts = [
        *(["docker-1"] if "docker-1" in raw["guests"] else []),
        *(["nas"] if "nas" in raw["devices"] else []),
    ]
    if hosts:
        raw["stacks"] = draw(_stacks(hosts))
    draw(_edge(raw, hosts))
    raw["sets"] = {"some": ["vlan:services"]}
    raw["flows"] = draw(_flows(raw))
    return raw


@st.composite
def _nodes(draw: st.DrawFn, vlans: Raw) -> Raw:
    found: Raw = {"pve": {"address": "10.10.20.2", "vlan": "services", "manage": _manage(draw)}}
    if _yes(draw):
        found["pve"]["bridge"] = {"name": "vmbr0", "manage": "yes"}
    if _yes(draw):
        found["pve-b"] = {"address": "10.10.20.3", "vlan": "services", "manage": _manage(draw)}
    if "iot" in vlans and draw(st.integers(0, 4)) == 0:
        found["pve"]["tailscale"] = {"advertise": ["vlan:iot"]}
    return found


def _manage(draw: st.DrawFn) -> str:
    return draw(st.sampled_from(("yes", "yes", "yes", "observe")))


@st.composite
def _engine(draw: st.DrawFn) -> Raw:
    """Known facts, of which some labs leave one out."""
    facts: Raw = {
        "version": draw(st.sampled_from((20, 28, 28, 29))),
        "userland-proxy": _yes_no(draw),
        "bridge-netfilter": _yes_no(draw),
    }
    facts.pop(draw(st.sampled_from(("", "", "", "", *facts))), None)
    return facts


@st.composite
def _guests(draw: st.DrawFn, vlans: Raw) -> Raw:
    found: Raw = {}
    if draw(st.integers(0, 4)):
        found["docker-1"] = guest(address=11, runs="docker", kind=draw(st.sampled_from(("vm", "vm", "lxc"))))
        found["docker-1"]["manage"] = _manage(draw)
        own_image = found["docker-1"]["kind"] == "vm" and found["docker-1"]["manage"] == "yes"
        if not own_image or draw(st.integers(0, 3)) == 0:
            found["docker-1"]["engine"] = draw(_engine())
        if draw(st.integers(0, 5)) == 0:
            found["docker-1"]["tailscale"] = {"advertise": ["guest:docker-1"]}
        if "iot" in vlans and _yes(draw):
            del found["docker-1"]["vlan"], found["docker-1"]["address"]
            found["docker-1"]["vlans"] = {"services": 11, "iot": 3}
    for name in draw(st.lists(st.sampled_from(("siem", "roamer", "router", "trunk", "plain")), unique=True)):
        plain = draw(_plain_guest(name, vlans, "tailscale" in found.get("docker-1", {})))
        found[name] = {**plain, "manage": _manage(draw)}
    return found


@st.composite
def _plain_guest(draw: st.DrawFn, name: str, vlans: Raw, docker_routes: bool) -> Raw:
    """One of a few kinds; only one guest advertises a way to the services."""
    listens = draw(st.lists(st.sampled_from((22, 80, 443, "53/udp")), unique=True, max_size=2))
    if name == "roamer":
        return guest(address="dhcp", listens=listens)
    if name == "router" and not docker_routes:
        return guest(listens=listens, tailscale={"advertise": ["vlan:services"]})
    if name == "trunk" and "iot" in vlans:
        vlans_of = [*draw(st.sampled_from(([], ["office"] if "office" in vlans else []))), "services", "iot"]
        return {"kind": "vm", "node": "pve", "vlans": vlans_of, "trunk": "yes", "listens": listens}
    if name == "plain" and {"office", "lab"} & vlans.keys():
        return guest(vlan=draw(st.sampled_from(sorted({"office", "lab"} & vlans.keys()))), listens=listens)
    return guest(listens=listens)


@st.composite
def _devices(draw: st.DrawFn, vlans: Raw) -> Raw:
    found: Raw = {}
    if _yes(draw):
        found["nas"] = {"vlan": "services", "address": 10, "runs": "docker", "engine": draw(_engine())}
    for name in draw(st.lists(st.sampled_from(("tv", "lamp")), unique=True)):
        found[name] = {"vlan": draw(st.sampled_from(sorted(vlans))), "listens": [80]}
        if name == "tv":
            found[name]["address"] = 4
    return found


@st.composite
def _stacks(draw: st.DrawFn, hosts: list[str]) -> Raw:
    found: Raw = {}
    for name in draw(st.lists(st.sampled_from(_STACKS), unique=True, min_size=1)):
        services = draw(st.lists(st.sampled_from(_SERVICES), unique=True, min_size=1))
        found[name] = {
            "host": draw(st.sampled_from(hosts)),
            "manage": _manage(draw),
            "services": {part: draw(_service(found, name, index)) for index, part in enumerate(services)},
        }
    for name, part in found.items():
        for own, needing in part["services"].items():
            needing["needs"] = draw(_needs(found, name, own))
    return found


@st.composite
def _service(draw: st.DrawFn, found: Raw, stack: str, index: int) -> Raw:
    listens = draw(st.lists(st.sampled_from(_LISTENS), unique=True, max_size=3))
    made = service(listens=listens)
    if draw(st.integers(0, 3)) == 0:
        made["egress"] = "yes"
    if draw(st.integers(0, 6)) == 0:
        made["host-network"] = "yes"
    elif draw(st.integers(0, 2)) == 0:
        offset = 9000 + 100 * len(found) + 10 * index
        ports = draw(st.lists(st.sampled_from(("80", "53/udp", "5432")), unique=True, min_size=1, max_size=2))
        made["publishes"] = {port: offset + number for number, port in enumerate(ports)}
    return made


@st.composite
def _needs(draw: st.DrawFn, found: Raw, stack: str, own: str) -> list[str]:
    others = []
    for name, part in found.items():
        for other, theirs in part["services"].items():
            for port in theirs["listens"]:
                near = part["host"] == found[stack]["host"] or theirs.get("host-network")
                published = str(port) in theirs.get("publishes", {})
                if (name, other) != (stack, own) and (near or published):
                    others.append(f"{name}/{other}:{port}")
    others += ["internet:443", "vlan:services:53/udp", "node:pve:8006"]
    return draw(st.lists(st.sampled_from(others), unique=True, max_size=2))


@st.composite
def _edge(draw: st.DrawFn, raw: Raw, hosts: list[str]) -> None:
    """An ingress with routes to services, and a tailnet with routers."""
    routers = [name for name, part in (raw["guests"] | raw["nodes"]).items() if "tailscale" in part]
    with_tailnet = bool(routers) or _yes(draw)
    if with_tailnet:
        groups = {"admins": ["admin@example.com"], "family": ["kin@example.com"]}
        raw["tailnet"] = {"groups": groups if _yes(draw) else {}}
    if hosts and _yes(draw):
        host = draw(st.sampled_from(hosts))
        audiences = {"services": {"port": 443}, "tailnet": {"port": 8443}, "internet": {"port": 444}}
        raw["ingress"] = ingress(
            host=host, audiences=audiences, attachment=draw(st.sampled_from(("slots", "shared")))
        )
        for name, part in raw["stacks"].items():
            for own, made in part["services"].items():
                if made["listens"] and made["listens"][0] == 80 and _yes(draw):
                    audience = draw(st.sampled_from(("services", "tailnet", "internet")))
                    made["route"] = route(f"{name}-{own}", audience, port=80)
        if with_tailnet and not routers and _yes(draw):
            tailscale = {"advertise": ["ingress"], "image": TAILSCALE}
            raw["stacks"]["way-in"] = {"host": draw(st.sampled_from(hosts)), "tailscale": tailscale}


@st.composite
def _flows(draw: st.DrawFn, raw: Raw) -> list[Raw]:
    known = [end for end in _ENDS if _exists(raw, end)]
    found = []
    for _ in range(draw(st.integers(0, 4))):
        source, target = draw(st.sampled_from(known)), draw(st.sampled_from(known))
        port = draw(st.sampled_from(_PORTS))
        found.append({"from": source, "to": f"{target}{port}", "because": "somebody said so"})
    return found


def _exists(raw: Raw, end: str) -> bool:
    kind, _, name = end.partition(":")
    if kind == "service":
        stack, _, own = name.partition("/")
        return own in raw.get("stacks", {}).get(stack, {}).get("services", {})
    if kind == "tailnet":
        return name in ("", *raw.get("tailnet", {"groups": ()})["groups"]) and "tailnet" in raw
    if kind in ("ingress", "operator"):
        return kind in raw
    sections: dict[str, Any] = {"vlan": "vlans", "guest": "guests", "device": "devices", "stack": "stacks"}
    return kind not in sections or name in raw.get(sections[kind], {})
