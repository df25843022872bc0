"""Machines: their addresses, ids, disks and images, and what is unwelcome about them."""

from typing import Any

import pytest

from lab.ledger import Ledger
from lab.plan.records import GuestPlan, LabPlan
from tests.support.builders import guest, ingress, plan, service, stack
from tests.support.pairs import shown_names

VLANS = {
    "services": {"id": 20, "subnet": "10.10.20.0/24", "dhcp": ".100-.200"},
    "iot": {"id": 30, "subnet": "10.10.30.0/24", "gateway": 254},
}


def guest_of(decided: LabPlan, name: str) -> GuestPlan:
    """The guest of that name."""
    return next(found for found in decided.guests if found.name == name)


def test_an_address_is_given_where_none_is_written() -> None:
    """The lowest address that is nobody's is given: not the gateway's, a node's, the operator's or a leased one."""
    decided = plan(
        operator={"vlan": "services", "address": 3},
        devices={"printer": {"vlan": "services", "address": 4}},
        guests={"b": guest(), "a": guest(), "docker-1": guest(address=6)},
    )
    assert (guest_of(decided, "a").address, guest_of(decided, "b").address) == ("10.10.20.5", "10.10.20.7")
    assert [u for u in decided.unrecorded if u.startswith("guest-addresses")] == [
        "guest-addresses/a/services",
        "guest-addresses/b/services",
    ]


def test_a_recorded_address_stays() -> None:
    """A guest keeps its recorded address, and a record of a guest that is gone keeps its address out of use."""
    ledger = Ledger({"guest-addresses": {"a/services": "10.10.20.77", "gone/services": "10.10.20.3"}})
    decided = plan(ledger, guests={"a": guest(), "b": guest()})
    assert (guest_of(decided, "a").address, guest_of(decided, "b").address) == ("10.10.20.77", "10.10.20.4")


def test_a_renumbered_segment_gives_new_addresses() -> None:
    """A record outside the segment that a guest is in now is of no use, and is replaced."""
    ledger = Ledger({"guest-addresses": {"a/services": "10.99.0.77"}})
    assert guest_of(plan(ledger, guests={"a": guest()}), "a").address == "10.10.20.3"


def test_a_leased_interface_has_no_address() -> None:
    """An interface that is leased is planned without an address."""
    assert guest_of(plan(vlans=VLANS, guests={"a": guest(address="dhcp")}), "a").nics[0].address is None


def test_only_the_first_interface_has_a_default_route() -> None:
    """A guest in several segments has one default route, by the first segment that is written."""
    two = {"kind": "vm", "node": "pve", "vlans": {"iot": 5, "services": 6}}
    nics = guest_of(plan(vlans=VLANS, guests={"a": two}), "a").nics
    assert [(nic.vlan, nic.tag, nic.address, nic.gateway) for nic in nics] == [
        ("iot", 30, "10.10.30.5", "10.10.30.254"),
        ("services", 20, "10.10.20.6", None),
    ]


def test_the_router_has_the_gateways_addresses() -> None:
    """A guest that routes is the gateway of its segments, whether its addresses are written or not."""
    for addresses in (["services", "iot"], {"services": 1, "iot": 254}):
        router = {"kind": "vm", "node": "pve", "vlans": addresses}
        decided = plan(vlans=VLANS, router={"kind": "guest", "guest": "gw"}, guests={"gw": router})
        nics = guest_of(decided, "gw").nics
        assert [(nic.address, nic.gateway) for nic in nics] == [("10.10.20.1", None), ("10.10.30.254", None)]
        assert str(decided.router.endpoint) == "guest:gw"


def test_a_node_may_be_the_gateway() -> None:
    """A node that routes has the gateway's address."""
    decided = plan(router={"kind": "node"}, nodes={"pve": {"address": "10.10.20.1"}}, guests={})
    assert decided.nodes[0].address == "10.10.20.1"


def test_a_device_may_be_the_gateway() -> None:
    """A device at the gateway's address is the gateway."""
    decided = plan(devices={"box": {"vlan": "services", "address": 1}})
    assert decided.devices[0].address == "10.10.20.1"


def test_a_trunk_is_one_interface_with_every_tag() -> None:
    """A declared trunk carries the tags of all its segments on one untagged interface."""
    trunk = {"kind": "vm", "node": "pve", "vlans": ["services", "iot"], "trunk": "yes"}
    (nic,) = guest_of(plan(vlans=VLANS, guests={"gw": trunk}), "gw").nics
    assert (nic.tag, nic.trunks) == (None, (20, 30))


def test_vm_ids_are_given_from_100_and_holders_from_9000() -> None:
    """A guest without an id gets the lowest free one, and the holder of its data disks one of its own range."""
    guests = {
        "a": guest(disks={"os": "8GiB", "data": "10GiB"}),
        "b": guest(id=100),
        "c": guest(),
        "d": guest(id=9000),
    }
    decided = plan(guests=guests)
    found = {g.name: (g.vm_id, g.holder_id) for g in decided.guests}
    assert found == {"a": (101, 9001), "b": (100, None), "c": (102, None), "d": (9000, None)}


def test_macs_are_locally_administered_and_differ_between_labs() -> None:
    """A MAC address never looks like a manufacturer's, and two sites do not give out the same ones."""
    first, second = (
        guest_of(plan(site=site, guests={"a": guest()}), "a").nics[0].mac for site in ("one", "two")
    )
    assert first != second
    assert {mac[:3] for mac in (first, second)} == {"02:"}
    assert {mac[-5:] for mac in (first, second)} == {"00:01"}


def test_disks_are_whole_gib_and_on_their_storage() -> None:
    """Sizes are rounded up, the system disk lies on the node's `os` storage and data on `data`."""
    node = {"address": "10.10.20.2", "storage": {"os": "fast", "data": "large"}}
    disks = {"os": "10GB", "media": "1TiB", "scratch": {"size": "5GiB", "storage": "other", "backup": "no"}}
    found = guest_of(plan(nodes={"pve": node}, guests={"a": guest(disks=disks)}), "a")
    assert (found.system_disk.size_gib, found.system_disk.storage) == (10, "fast")
    assert [(d.name, d.size_gib, d.storage, d.backup) for d in found.data_disks] == [
        ("media", 1024, "large", True),
        ("scratch", 5, "other", False),
    ]


@pytest.mark.parametrize(
    ("kind", "image", "volume"),
    [
        ("vm", None, "local:import/debian-12-genericcloud-amd64.qcow2"),
        ("vm", "https://example.com/noble.img", "local:import/noble.qcow2"),
        ("lxc", "https://example.com/alpine.tar.xz", "local:vztmpl/alpine.tar.xz"),
    ],
)
def test_images_are_named_as_proxmox_stores_them(kind: str, image: str | None, volume: str) -> None:
    """A cloud image becomes a volume that Proxmox can import, whatever its file is called."""
    changes = {"image": image} if image else {}
    assert guest_of(plan(guests={"a": guest(kind=kind, **changes)}), "a").image == volume


def test_a_node_downloads_each_image_once() -> None:
    """Guests with one image share its download, and an observed node downloads nothing."""
    guests = {"a": guest(), "b": guest(), "c": guest(kind="lxc")}
    assert len(plan(guests=guests).nodes[0].images) == 2
    assert (
        plan(guests=guests, nodes={"pve": {"address": "10.10.20.2", "manage": "observe"}}).nodes[0].images
        == ()
    )


def test_an_observed_guest_is_not_promised_memory() -> None:
    """Only guests that we create count against the memory of their node."""
    node = {"address": "10.10.20.2", "memory": "4GiB"}
    guests = {"a": guest(memory="4GiB"), "old": guest(memory="4GiB", manage="observe")}
    assert len(plan(nodes={"pve": node}, guests=guests).guests) == 2


def warnings(**sections: Any) -> list[tuple[str, str]]:
    """What is unwelcome in a lab: path and problem."""
    return [(issue.path, issue.problem) for issue in plan(**sections).warnings]


def test_a_subnet_in_dockers_default_pools_is_warned_of() -> None:
    """A declared subnet that Docker may give to somebody else is unwelcome."""
    stacks = {"web": {"host": "docker-1", "subnet": "172.20.0.0/28", "services": {"app": service()}}}
    assert warnings(stacks=stacks) == [
        (
            "lab.stacks.web.subnet",
            "172.20.0.0/28 lies in Docker's own default pools, so a network that names no subnet may hold it",
        )
    ]


def test_a_raw_socket_is_warned_of() -> None:
    """A service that holds the Docker socket and is no proxy is called what it is."""
    assert warnings(stacks={"web": stack(app=service(docker_socket="yes"))}) == [
        (
            "lab.stacks.web.services.app.docker-socket",
            "service web/app holds the raw Docker socket, which is root on the host",
        )
    ]


def test_a_grant_without_an_address_is_warned_of() -> None:
    """A permission of a tailnet user that the tailnet cannot express is not lost in silence."""
    found = warnings(
        tailnet={"groups": {"admins": ["me@example.com"]}},
        stacks={"web": stack(app=service(listens=[80]))},
        flows=[{"from": "tailnet:admins", "to": "service:web/app:80", "because": "a test"}],
    )
    assert found == [
        (
            "lab.flows[0].to",
            "service:web/app has no address of its own, so the tailnet's policy cannot grant it",
        )
    ]


def secrets(**sections: Any) -> list[str]:
    """The names of the secrets that creating a lab needs."""
    return [secret.name for secret in plan(**sections).secrets]


def test_secrets_are_named_where_they_are_needed() -> None:
    """A plan names each secret that it needs once, and none of what it only observes."""
    token = {"A_FILE": "shared-token"}
    assert secrets(stacks={"a": stack(x=service(secrets=token)), "b": stack(y=service(secrets=token))}) == [
        "proxmox-token",
        "shared-token",
    ]
    observed = {"pve": {"address": "10.10.20.2", "manage": "observe"}}
    assert (
        secrets(nodes=observed, stacks={"a": {**stack(x=service(secrets=token)), "manage": "observe"}}) == []
    )
    assert secrets(tailnet={}) == ["proxmox-token", "tailscale-key"]
    assert secrets(tailnet={}, owns=[]) == ["proxmox-token"]
    assert secrets(dns={"provider": "cloudflare"}, certificate={"names": ["*.lab.example"]}) == [
        "cloudflare-token",
        "proxmox-token",
    ]
    assert secrets(
        dns={"provider": "cloudflare"}, certificate=shown_names(["*.lab.example"]), ingress=ingress()
    ) == ["own-certificate", "own-key", "proxmox-token"]


def test_a_secret_reaches_a_container_as_a_file() -> None:
    """A secret is the path of a file in the environment, and its value is nowhere in the plan."""
    decided = plan(stacks={"a": stack(x=service(secrets={"TOKEN_FILE": "the-token"}))})
    found = decided.stacks[0].services[0]
    assert found.environment == {"TOKEN_FILE": "/run/homelab/secrets/TOKEN_FILE"}
    assert [(f.variable, f.path, f.secret.name) for f in found.secret_files] == [
        ("TOKEN_FILE", "/run/homelab/secrets/TOKEN_FILE", "the-token")
    ]


def test_one_secret_may_have_two_forms() -> None:
    """The application is given a whole URL and the database the bare password, of one secret."""
    url = {"secret": "password", "form": "postgresql://app:{secret}@db/app"}
    decided = plan(stacks={"a": stack(x=service(secrets={"PASSWORD_FILE": "password", "URL_FILE": url}))})
    found = decided.stacks[0].services[0].secret_files
    assert [(f.path, f.form) for f in found] == [
        ("/run/homelab/secrets/PASSWORD_FILE", "{secret}"),
        ("/run/homelab/secrets/URL_FILE", "postgresql://app:{secret}@db/app"),
    ]
    assert [ref.name for ref in decided.secrets if ref.name == "password"] == ["password"]


def test_connections_follow_from_the_plan() -> None:
    """APIs and engines are reached where the plan says they are, unless the lab file says otherwise."""
    decided = plan(connections={"docker-1": "ssh://root@10.10.20.11", "cloudflare": "https://cf.example"})
    assert decided.connections == {
        "cloudflare": "https://cf.example",
        "proxmox": "https://10.10.20.2:8006",
        "tailscale": "https://api.tailscale.com",
    }
    assert decided.docker_hosts[0].connection == "ssh://root@10.10.20.11"
    assert "ssh://" in plan().docker_hosts[0].connection


def test_an_ingress_on_a_machine_that_is_not_ours_is_observed() -> None:
    """An observed ingress has the address of the guest or device it runs on."""
    decided = plan(
        devices={"box": {"vlan": "services", "address": 9}},
        ingress={
            "host": "box",
            "software": "nginx",
            "manage": "observe",
            "audiences": {"services": {"port": 443}},
        },
    )
    assert decided.ingress is not None
    assert [entry.address for entry in decided.ingress.entry_points] == ["10.10.20.9"]
    assert (decided.ingress.service, decided.ingress.managed) == (None, False)


def test_pools_may_be_elsewhere() -> None:
    """Networks come from the pools that are declared."""
    decided = plan(
        pools={"docker": "10.77.0.0/16", "edge": "10.78.0.0/16"},
        tailnet={},
        ingress=ingress(slots=1),
        stacks={"web": stack(app=service())},
    )
    assert decided.stacks[0].networks[0].subnet == "10.77.0.0/28"
    assert decided.ingress is not None
    assert decided.ingress.slots[0].subnet == "10.78.0.0/29"


def test_dockers_default_pools_are_left_alone() -> None:
    """A pool that begins among Docker's own default pools is used from where they end."""
    decided = plan(pools={"docker": "192.168.0.0/15"}, stacks={"web": stack(app=service())})
    assert decided.stacks[0].networks[0].subnet == "192.169.0.0/28"
