"""The rules that Proxmox' firewall gets of the flows: of each guest, and of each segment as a whole."""

from lab.plan.records import LabPlan, RulePlan
from tests.support.builders import TAILSCALE, guest, ingress, plan, route, service, stack


def rules(decided: LabPlan, name: str) -> set[tuple[str, str, str]]:
    """The rules of a guest as source, port and protocol."""
    (found,) = [g for g in decided.guests if g.name == name]
    return {(rule.source, rule.port, rule.protocol) for rule in found.rules}


def test_rules_name_addresses() -> None:
    """A guest accepts what flows to it, from the addresses of the source and at the port of the flow."""
    decided = plan(
        vlans={
            "services": {"id": 20, "subnet": "10.10.20.0/24"},
            "iot": {"id": 30, "subnet": "10.10.30.0/24"},
        },
        operator={"vlan": "services", "address": 5},
        guests={"siem": guest(address=30, listens=[1514])},
        devices={"tv": {"vlan": "iot", "address": 50}},
        flows=[
            {
                "from": ["device:tv", "vlan:iot", "nodes", "operator"],
                "to": "guest:siem:1514/udp",
                "because": "logs",
            },
            {"from": "internet", "to": "guest:siem:8000-8010", "because": "a range"},
            {"from": "vlan:iot", "to": "guest:siem", "because": "every port"},
        ],
    )
    assert rules(decided, "siem") == {
        ("10.10.30.50", "1514", "udp"),
        ("10.10.30.0/24", "1514", "udp"),
        ("10.10.20.2", "1514", "udp"),
        ("10.10.20.5", "1514", "udp"),
        ("", "8000:8010", "tcp"),
        ("10.10.30.0/24", "", ""),
    }
    assert {rule.comment for g in decided.guests for rule in g.rules} == {"logs", "a range", "every port"}


def test_guests_are_the_guests_and_not_their_segments() -> None:
    """`guests` as a source is the address of each guest, so that nothing else of their segments gets in."""
    decided = plan(
        guests={"a": guest(address=30), "b": guest(address=31), "siem": guest(address=32)},
        flows=[{"from": "guests", "to": "guest:siem:1514", "because": "logs"}],
    )
    assert rules(decided, "siem") == {("10.10.20.30", "1514", "tcp"), ("10.10.20.31", "1514", "tcp")}


def test_a_guest_speaks_from_all_its_addresses() -> None:
    """A guest in two segments is accepted from both of its addresses, because either may be the one it uses."""
    vlans = {"services": {"id": 20, "subnet": "10.10.20.0/24"}, "iot": {"id": 30, "subnet": "10.10.30.0/24"}}
    two = {"kind": "vm", "node": "pve", "vlans": {"services": 40, "iot": 41}}
    decided = plan(
        vlans=vlans,
        guests={"two": two, "siem": guest(address=30)},
        flows=[{"from": "guest:two", "to": "guest:siem:514", "because": "logs"}],
    )
    assert rules(decided, "siem") == {("10.10.20.40", "514", "tcp"), ("10.10.30.41", "514", "tcp")}


def test_a_node_accepts_what_flows_and_routes_to_it_need() -> None:
    """Proxmox drops what comes to a node from elsewhere, so each flow and route to it is a rule of its own firewall.

    What Proxmox VE opens by itself, to the operator and to other nodes, is none.
    """
    node_route = route("pve", "services", scheme="https", verify="yes")
    decided = plan(
        nodes={"pve": {"address": "10.10.20.2", "route": node_route}, "other": {"address": "10.10.20.3"}},
        operator={"vlan": "services", "address": 5},
        guests={"docker-1": guest(address=11, runs="docker"), "siem": guest(address=30)},
        ingress=ingress(audiences={"services": {"port": 443}}),
        flows=[{"from": "guest:siem", "to": "nodes:9100", "because": "figures"}],
    )
    found = {
        node.name: {(rule.source, rule.port, rule.protocol) for rule in node.rules} for node in decided.nodes
    }
    figures = ("10.10.20.30", "9100", "tcp")
    assert found == {"pve": {figures, ("10.10.20.11", "8006", "tcp")}, "other": {figures}}


def test_a_set_is_its_members() -> None:
    """A set stands for its members as source and as target, and for the members of sets in it."""
    decided = plan(
        guests={"a": guest(address=30), "b": guest(address=31), "c": guest(address=32)},
        sets={"inner": ["guest:a"], "outer": ["set:inner", "guest:b"]},
        flows=[
            {"from": "set:outer", "to": "guest:c:80", "because": "a test"},
            {"from": "guest:c", "to": "set:outer:81", "because": "a test"},
        ],
    )
    assert rules(decided, "c") == {("10.10.20.30", "80", "tcp"), ("10.10.20.31", "80", "tcp")}
    assert rules(decided, "a") == rules(decided, "b") == {("10.10.20.32", "81", "tcp")}


def test_a_segment_is_opened_as_a_whole() -> None:
    """A flow to a VLAN is a rule of its zone, and not of the guests in it."""
    decided = plan(
        vlans={
            "services": {"id": 20, "subnet": "10.10.20.0/24"},
            "iot": {"id": 30, "subnet": "10.10.30.0/24"},
        },
        flows=[{"from": "vlan:iot", "to": "vlan:services:443", "because": "a test"}],
    )
    zones = {vlan.name: vlan.rules for vlan in decided.vlans}
    assert zones == {
        "iot": (),
        "services": (RulePlan(source="10.10.30.0/24", port="443", protocol="tcp", comment="a test"),),
    }
    assert not [rule for rule in decided.guests[0].rules if rule.comment == "a test"]


def test_the_ingress_host_accepts_audiences_at_their_ports() -> None:
    """The guest of the ingress accepts each audience at its entry, and tailnet users from their subnet router."""
    vlans = {"services": {"id": 20, "subnet": "10.10.20.0/24"}, "iot": {"id": 30, "subnet": "10.10.30.0/24"}}
    ports = {"tailnet": {"port": 8443}, "internet": {"port": 443}, "iot": {"port": 444}}
    router = {"host": "docker-1", "tailscale": {"advertise": "ingress", "image": TAILSCALE}}
    guests = {
        "docker-1": guest(address=11, runs="docker"),
        "far": guest(address=12, tailscale={"advertise": "vlan:iot"}),
    }
    web = stack(app=service(listens=[80], route=route("www", "tailnet", "internet", "iot")))
    decided = plan(
        vlans=vlans,
        tailnet={},
        ingress=ingress(audiences=ports),
        guests=guests,
        stacks={"web": web, "way-in": router},
    )
    assert rules(decided, "docker-1") == {
        ("10.10.20.12", "8443", "tcp"),
        ("", "443", "tcp"),
        ("10.10.30.0/24", "444", "tcp"),
    }


def test_a_published_port_is_open_for_who_may_reach_the_service() -> None:
    """The guest of a service behind another host's ingress accepts just the ingress, at the published number."""
    decided = plan(
        tailnet={},
        ingress=ingress(),
        guests={"docker-1": guest(address=11, runs="docker"), "docker-2": guest(address=12, runs="docker")},
        stacks={
            "web": stack("docker-2", app=service(listens=[80], route=route("www"))),
            "data": stack("docker-2", db=service(listens=[5432], publishes={"5432": 15432})),
            "job": stack(app=service(needs=["data/db:5432"])),
            "near": stack("docker-2", app=service(needs=["data/db:5432"])),
        },
    )
    assert rules(decided, "docker-2") == {("10.10.20.11", "20000", "tcp"), ("10.10.20.11", "15432", "tcp")}


def test_a_service_in_the_host_network_is_open_at_its_own_port() -> None:
    """The guest of a service without a network of its own accepts the flow's port, which nobody publishes."""
    decided = plan(
        tailnet={},
        ingress=ingress(),
        guests={"docker-1": guest(address=11, runs="docker"), "docker-2": guest(address=12, runs="docker")},
        stacks={
            "home": stack("docker-2", hub=service(listens=[8123], host_network=True, route=route("hub")))
        },
    )
    assert rules(decided, "docker-2") == {("10.10.20.11", "8123", "tcp")}
    assert not [source for source, _, _ in rules(decided, "docker-1") if source == "10.10.20.11"]


def test_a_range_opens_what_is_published_of_it() -> None:
    """A flow to a range of a service's ports opens every published one in it, at its number outside."""
    decided = plan(
        devices={"tv": {"vlan": "services", "address": 50}},
        stacks={
            "web": stack(app=service(listens=["80-90"], publishes={"80": 8080, "85": 8085, "91/udp": 8091}))
        },
        flows=[{"from": "device:tv", "to": "service:web/app:80-90", "because": "a test"}],
    )
    assert rules(decided, "docker-1") == {("10.10.20.50", "8080", "tcp"), ("10.10.20.50", "8085", "tcp")}


def test_an_operator_without_an_address_is_its_segment() -> None:
    """Where the operator's address is not said, its whole segment may reach what the operator may."""
    guests = {"docker-1": guest(address=11, runs="docker")}
    assert ("10.10.20.0/24", "22", "tcp") in rules(
        plan(operator={"vlan": "services"}, guests=guests), "docker-1"
    )
