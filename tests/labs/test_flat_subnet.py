"""Seed 004: the decisions of "Infrastructure Architecture" (Homelab v2), asserted on the plan."""

import pytest

from lab.config.model import LabConfig
from lab.plan.records import LabPlan
from tests.labs.reading import declared, flows, planned, targets

GIB = 2**30
SERVICES = ("nextcloud", "immich", "jellyfin")


@pytest.fixture
def lab() -> LabConfig:
    """What the lab file declares."""
    return declared("flat-subnet")


@pytest.fixture
def plan() -> LabPlan:
    """What is decided from it."""
    return planned("flat-subnet")


def test_one_proxmox_host(lab: LabConfig) -> None:
    """One Proxmox VE 9.1 host at 192.168.1.10, on the hardware of version 1."""
    assert set(lab.nodes) == {"pve"}
    assert lab.nodes["pve"].address == "192.168.1.10"
    assert "Proxmox VE 9.1" in lab.nodes["pve"].description
    assert "hardware of version 1" in lab.nodes["pve"].description


def test_the_isp_router_is_the_way_out(lab: LabConfig) -> None:
    """The internet is behind the ISP router at 192.168.1.1."""
    assert lab.vlans["lan"].gateway == "192.168.1.1"
    assert lab.devices["isp-router"].vlan == "lan"


def test_nothing_is_tagged(lab: LabConfig) -> None:
    """There is no managed switch, so no segment has a VLAN tag."""
    assert {vlan.id for vlan in lab.vlans.values()} == {None}


def test_vmbr0_is_external(lab: LabConfig, plan: LabPlan) -> None:
    """vmbr0 carries 192.168.1.10, the external address."""
    assert lab.nodes["pve"].bridge.name == "vmbr0"
    assert plan.nodes[0].vlan == "lan"


def test_vmbr1_is_for_vms(lab: LabConfig) -> None:
    """vmbr1 has 192.168.100.1 in 192.168.100.0/24, and the host routes and masquerades it."""
    vms = lab.vlans["vms"]
    assert (vms.bridge, vms.gateway, str(vms.subnet)) == ("vmbr1", "192.168.100.1", "192.168.100.0/24")
    assert vms.nat
    assert vms.internet
    assert lab.router.kind == "node"


def test_the_subnet_is_for_order(lab: LabConfig) -> None:
    """The separate subnet is for order and does not isolate by itself, which its purpose says."""
    assert "does not isolate" in lab.vlans["vms"].purpose


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("nextcloud", "192.168.100.20"),
        ("immich", "192.168.100.21"),
        ("jellyfin", "192.168.100.22"),
        ("dns", "192.168.100.53"),
        ("traefik", "192.168.100.80"),
        ("tailscale", "192.168.100.100"),
    ],
)
def test_vms_have_static_addresses(lab: LabConfig, name: str, address: str) -> None:
    """Nextcloud, Immich, Jellyfin, DNS, Traefik and the VPN router are VMs with static addresses."""
    guest = lab.guests[name]
    assert (guest.kind, guest.vlan, guest.address) == ("vm", "vms", address)


def test_nothing_is_leased(lab: LabConfig) -> None:
    """Every address in the subnet is given by hand."""
    assert lab.vlans["vms"].dhcp is None
    assert all(guest.address for guest in lab.guests.values())


def test_tailscale_routes_to_the_whole_subnet(lab: LabConfig, plan: LabPlan) -> None:
    """One VM is the VPN's router to the entire subnet, so that no other VM has a client."""
    advertised = {guest.name: guest.advertises for guest in plan.guests if guest.advertises}
    assert advertised == {"tailscale": ("192.168.100.0/24",)}
    assert lab.tailnet is not None
    assert [str(member) for member in lab.tailnet.members] == ["guest:tailscale"]


def test_every_vm_is_reached_by_vpn(plan: LabPlan) -> None:
    """While on VPN its owner reaches all VMs."""
    assert "tailnet:owner -> vlan:vms" in flows(plan)
    assert plan.tailnet is not None
    assert "192.168.100.0/24" in {grant.destination for grant in plan.tailnet.grants}


def test_nothing_is_public(plan: LabPlan) -> None:
    """No service is publicly exposed: nobody on the internet may open a connection to anything."""
    assert targets(plan, "internet") == set()


def test_services_are_behind_lan_and_vpn(plan: LabPlan) -> None:
    """Every route is for the LAN and the VPN."""
    assert plan.ingress is not None
    assert {route.audiences for route in plan.ingress.routes} == {("lan", "tailnet")}


def test_no_guest_reaches_another(lab: LabConfig, plan: LabPlan) -> None:
    """Traffic goes between a guest and the router, never from one VM to another but to ask for names."""
    for name in lab.guests:
        inside = {target for target in targets(plan, f"guest:{name}") if not target.startswith("internet")}
        assert inside <= {"guest:dns:53/udp", "guest:dns:53/tcp"}


def test_traefik_is_the_reverse_proxy(lab: LabConfig, plan: LabPlan) -> None:
    """Traefik, on a VM of its own, serves Nextcloud, Immich and Jellyfin."""
    assert lab.ingress is not None
    assert (lab.ingress.host, lab.ingress.software, lab.ingress.manage) == ("traefik", "traefik", "yes")
    assert plan.ingress is not None
    assert {str(route.target) for route in plan.ingress.routes} >= {
        "service:nextcloud/app",
        "service:immich/server",
        "service:jellyfin/app",
    }


def test_the_certificate_is_a_wildcard_by_dns(lab: LabConfig, plan: LabPlan) -> None:
    """Let's Encrypt signs a wildcard by Cloudflare's DNS-01 challenge, and it covers every route."""
    assert lab.certificate is not None
    assert (lab.certificate.names, lab.certificate.dns) == (("*.flat.lab.example",), "cloudflare")
    assert lab.certificate.ca == "letsencrypt"
    assert plan.ingress is not None
    assert {route.covered_by for route in plan.ingress.routes} == {"*.flat.lab.example"}


@pytest.mark.parametrize("name", SERVICES)
def test_data_is_apart_from_the_system(plan: LabPlan, name: str) -> None:
    """Each VM of a service keeps its data on a drive of its own, which outlives the VM."""
    guest = next(guest for guest in plan.guests if guest.name == name)
    assert [disk.name for disk in guest.data_disks] == ["data"]
    assert guest.holder_id is not None


def test_the_layout_is_the_same_everywhere(lab: LabConfig) -> None:
    """Every VM is laid out alike: a data drive is called data, and no OS drive is backed up."""
    for guest in lab.guests.values():
        assert set(guest.disks) <= {"os", "data"}
        assert not guest.disks["os"].backup
        assert "data" not in guest.disks or guest.disks["data"].backup


def test_backups_go_to_b2_every_night(lab: LabConfig) -> None:
    """Restic takes data drives to Backblaze B2 nightly, encrypted on the client, by an agent on each VM."""
    (backup,) = lab.backup
    assert (backup.tool, backup.schedule, backup.encrypted) == ("restic", "nightly", "client-side")
    assert "Backblaze B2" in backup.to[0]
    assert "data drive of every VM, by an agent on that VM" in backup.what


@pytest.mark.parametrize("name", SERVICES)
def test_each_vm_backs_itself_up(plan: LabPlan, name: str) -> None:
    """Each VM may reach the cloud to back up its own data."""
    reasons = {f.because for f in plan.flows if str(f) == f"guest:{name} -> internet:443/tcp"}
    assert "each VM backs its own data up to Backblaze B2" in reasons


def test_bind9_resolves_inside(lab: LabConfig, plan: LabPlan) -> None:
    """BIND9 on its own VM answers the internal zone itself."""
    assert plan.dns.resolver is not None
    assert (plan.dns.resolver.software, str(plan.dns.resolver.endpoint)) == ("bind9", "guest:dns")
    assert plan.dns.resolver.zone == lab.domain
    assert {str(port) for port in lab.guests["dns"].listens} == {"53/udp", "53/tcp"}


def test_the_rest_is_asked_over_tls(plan: LabPlan) -> None:
    """External names are asked of Mullvad over TLS, with filtering."""
    assert plan.dns.resolver is not None
    assert plan.dns.resolver.forward_tls_name == "adblock.dns.mullvad.net"
    assert plan.dns.resolver.filters
    assert "guest:dns -> internet:853/tcp" in flows(plan)


def test_public_dns_tells_nothing(plan: LabPlan) -> None:
    """A public lookup gives no insight: not one public record is made."""
    assert plan.dns.records == ()


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("tailscale", 1),
        ("dns", 2),
        ("traefik", 3),
        ("immich", 4),
        ("jellyfin", 4),
        ("nextcloud", 4),
        ("uptime-kuma", 5),
    ],
)
def test_what_lives_first_after_a_power_cut(lab: LabConfig, name: str, place: int) -> None:
    """After a power cut the VPN starts first, then DNS, then Traefik, then the services."""
    assert lab.guests[name].startup == place


@pytest.mark.parametrize(
    ("name", "cores", "memory", "system", "data"),
    [
        ("tailscale", 1, 2, 10, None),
        ("dns", 1, 4, 20, None),
        ("traefik", 1, 2, 20, None),
        ("immich", 2, 8, 20, 200),
        ("jellyfin", 2, 6, 20, 150),
        ("nextcloud", 2, 4, 20, 100),
        ("uptime-kuma", 1, 1, 10, None),
    ],
)
def test_the_sizes_of_the_inventory(
    lab: LabConfig, name: str, cores: int, memory: int, system: int, data: int | None
) -> None:
    """Each VM has the cores, memory and disks of the origin's inventory."""
    guest = lab.guests[name]
    assert (guest.cores, guest.memory, guest.disks["os"].size) == (cores, memory * GIB, system * GIB)
    assert (guest.disks["data"].size if "data" in guest.disks else None) == (data * GIB if data else None)


def test_secrets_are_referred_to_by_name(lab: LabConfig, plan: LabPlan) -> None:
    """No secret stands in the file: services name them, and credentials rotate without a change of it."""
    names = {secret.name for secret in plan.secrets}
    assert {"nextcloud-db", "immich-db", "cloudflare-token", "proxmox-token"} <= names
    for stack in lab.stacks.values():
        for service in stack.services.values():
            assert not [key for key in service.environment if "PASSWORD" in key]


@pytest.mark.parametrize(
    "need",
    [
        "service:nextcloud/app -> service:nextcloud/db:5432/tcp",
        "service:immich/server -> service:immich/db:5432/tcp",
        "service:immich/server -> service:immich/valkey:6379/tcp",
    ],
)
def test_applications_reach_their_databases(plan: LabPlan, need: str) -> None:
    """Each application reaches its own database on its own VM."""
    assert need in flows(plan)


def test_uptime_kuma_is_in_the_inventory(lab: LabConfig) -> None:
    """The origin's inventory has Uptime Kuma at .90."""
    assert lab.guests["uptime-kuma"].address == "192.168.100.90"
