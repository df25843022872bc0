"""What a policy lets each device receive."""

from typing import Any

import pytest

from sandbox.tailscale.packet_filter import Device, NotCompiled, packet_filters

LAPTOP = Device(name="laptop", addresses=("100.64.0.1", "fd7a::1"), user="ann@example.com")
PHONE = Device(name="phone", addresses=("100.64.0.2", "fd7a::2"), user="ann@example.com")
OTHER = Device(name="other", addresses=("100.64.0.3", "fd7a::3"), user="bob@example.com")
ROUTER = Device(
    name="router",
    addresses=("100.64.0.9", "fd7a::9"),
    tags=frozenset({"tag:router"}),
    routes=("10.1.0.0/16", "0.0.0.0/0"),
)


def filters(**policy: Any) -> dict[str, set[str]]:
    """The filters of the four devices as short texts."""
    found = packet_filters(policy, (LAPTOP, PHONE, OTHER, ROUTER))
    return {
        name: {
            f"{one.source}>{one.target}:{one.ports[0]}-{one.ports[1]}{one.protocols or ''}" for one in some
        }
        for name, some in found.items()
        if some
    }


def acl(*sources: str, to: str, **more: Any) -> dict[str, Any]:
    """One rule."""
    return {"action": "accept", "src": list(sources), "dst": [to], **more}


def test_a_tag_gets_only_what_leads_to_itself() -> None:
    """A rule to a tag is in the filter of its devices, for each of their addresses, and in no other."""
    assert filters(acls=[acl("ann@example.com", to="tag:router:22")]) == {
        "router": {
            f"{source}>{target}:22-22"
            for source in (*LAPTOP.addresses, *PHONE.addresses)
            for target in ROUTER.addresses
        }
    }


def test_self_is_the_same_users_devices() -> None:
    """Devices of one user reach each other, nobody else's, and tagged ones have no self."""
    found = filters(acls=[acl("autogroup:member", to="autogroup:self:*")])
    assert set(found) == {"laptop", "phone", "other"}
    assert {one.partition(">")[0] for one in found["phone"]} == {*LAPTOP.addresses, *PHONE.addresses}


def test_a_subnet_is_in_the_filter_of_the_router_that_serves_it() -> None:
    """A prefix inside or around a route is written as the policy has it; an exit route serves no prefix."""
    assert filters(acls=[acl("bob@example.com", to="10.1.2.0/24:443", proto="tcp")]) == {
        "router": {f"{source}>10.1.2.0/24:443-443(6,)" for source in OTHER.addresses}
    }
    assert filters(acls=[acl("bob@example.com", to="192.168.0.0/24:443")]) == {}


def test_via_narrows_to_the_named_routers() -> None:
    """A grant through a tag is on its routers only, and on none where the tag is another's."""
    grant = {"src": ["bob@example.com"], "dst": ["10.1.0.0/16"], "ip": ["udp:53"], "via": ["tag:router"]}
    assert set(filters(grants=[grant])) == {"router"}
    assert filters(grants=[{**grant, "via": ["tag:no"]}]) == {}


def test_everybody_as_a_source_is_the_tailnet_and_its_routes() -> None:
    """`*` stands for the tailnet's ranges and the approved routes, never for the internet."""
    found = filters(acls=[acl("*", to="bob@example.com:80")])["other"]
    assert {one.partition(">")[0] for one in found} == {
        "100.64.0.0-100.115.91.255",
        "100.115.94.0-100.127.255.255",
        "fd7a:115c:a1e0::/48",
        "10.1.0.0/16",
    }


def test_no_rules_at_all_let_everything_in_and_empty_rules_nothing() -> None:
    """A policy without sections of rules allows all, one with an empty section nothing."""
    assert set(filters()) == {"laptop", "phone", "other", "router"}
    assert filters(acls=[]) == {}


@pytest.mark.parametrize(
    "policy",
    [
        {"grants": [{"src": ["*"], "dst": ["*"], "app": {"example.com/cap/x": []}}]},
        {"acls": [acl("autogroup:admin", to="tag:router:22")]},
        {"acls": [acl("*", to="ipset:a:22")]},
    ],
)
def test_what_is_not_compiled_is_said(policy: dict[str, Any]) -> None:
    """Capabilities, roles and sets of addresses are an error that names them, never an empty filter."""
    with pytest.raises(NotCompiled):
        filters(**policy)
