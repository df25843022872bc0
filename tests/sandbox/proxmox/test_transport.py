"""What every call has in common: token, envelope, verification, paths and errors."""

import pytest
from proxmoxer import ProxmoxAPI
from proxmoxer.core import ResourceException

from sandbox.proxmox.description import ApiDescription
from sandbox.proxmox.server import routes
from tests.sandbox.proxmox.doubles import TOKEN, Api


def test_an_independent_client_is_content(api: Api) -> None:
    """The field's own client, proxmoxer, reads the version and creates and reads an alias."""
    user, _, value = TOKEN.partition("=")
    name, _, token_name = user.partition("!")
    proxmox = ProxmoxAPI(
        "127.0.0.1", port=api.port, user=name, token_name=token_name, token_value=value,
        verify_ssl=str(api.ca),
    )  # fmt: skip
    assert proxmox.version.get()["release"] == "9.2"
    proxmox.cluster.firewall.aliases.post(name="mgmt", cidr="10.10.10.0/24")
    assert proxmox.cluster.firewall.aliases("mgmt").get()["ipversion"] == 4
    with pytest.raises(ResourceException, match="no such alias 'other'"):
        proxmox.cluster.firewall.aliases("other").get()
    # proxmoxer has no call that closes its connections.
    proxmox._store["session"].close()


@pytest.mark.parametrize("header", [None, "PVEAPIToken=pulumi@pve!sandbox=wrong", "Basic eA=="])
def test_nobody_gets_in_without_a_token_or_a_ticket(api: Api, header: str | None) -> None:
    """Without a valid token or ticket every call answers 401."""
    del api.session.headers["Authorization"]
    if header:
        api.session.headers["Authorization"] = header
    assert api.refused("GET", "version")[0] == 401
    ticket = api.refused("POST", "access/ticket", username="x@pve", password="y")
    assert ticket[:2] == (401, "authentication failure")


def test_all_bad_parameters_are_reported_at_once(api: Api) -> None:
    """Unknown, missing, out of bounds, of the wrong type, and wrong inside a property string."""
    status, reason, errors = api.refused(
        "POST", "nodes/pve-a/qemu", vmid=99, cores="many", nonsense=1, net32="virtio", name="-bad-",
        net0="virtio,tag=5000,colour=red", net1="virtio,tag=5000,bridge=vm br",
    )  # fmt: skip
    assert (status, reason) == (400, "Parameter verification failed.")
    assert errors["vmid"] == "value must have a minimum value of 100"
    assert errors["cores"] == "type check ('integer') failed - got 'many'"
    assert "not defined in schema" in errors["nonsense"]
    assert "not defined in schema" in errors["net32"]
    assert "dns-name" in errors["name"] or "DNS name" in errors["name"]
    assert "colour" in errors["net0"]
    assert "tag: value must have a maximum value of 4094" in errors["net1"]
    assert "bridge: " in errors["net1"]
    _, _, errors = api.refused("POST", "nodes/pve-a/network", type="bridge")
    assert errors == {"iface": "property is missing and it is not optional"}


def test_named_property_strings_are_checked_too(api: Api) -> None:
    """Formats that the description only names are checked by their syntax line."""
    _, _, errors = api.refused(
        "POST", "nodes/pve-a/qemu", vmid=100, startup="order=x", hostpci0="mapping=gpu,rombar=2",
        ipconfig0="gw=10.0.0.1", boot="order=floppy0", cicustom="vender=local:snippets/a.yaml",
    )  # fmt: skip
    assert set(errors) == {"startup", "hostpci0", "ipconfig0", "boot", "cicustom"}


def test_unknown_paths_and_unplayed_calls_say_which(api: Api) -> None:
    """A path that Proxmox VE lacks and a call that the sandbox lacks answer 501 with different texts."""
    assert api.refused("GET", "nodes/pve-a/nonsense")[:2] == (
        501, "Method 'GET /nodes/pve-a/nonsense' not implemented",
    )  # fmt: skip
    assert "the sandbox does not play 'GET /access/tfa'" in api.refused("GET", "access/tfa")[1]


def test_conflicting_path_parameter_is_refused(api: Api) -> None:
    """A parameter of the path may be repeated in the body only with the same value."""
    api.ok("PUT", "nodes/pve-a/time", node="pve-a", timezone="Europe/Berlin")
    assert "node" in api.refused("PUT", "nodes/pve-a/time", node="pve-b", timezone="UTC")[2]


def test_every_played_call_is_one_that_proxmox_has(description: ApiDescription) -> None:
    """No route of the sandbox is missing in Proxmox's description."""
    unknown = [key for key in routes() if key[0] not in description.operations.get(key[1], {})]
    assert unknown == []


def test_nodes_exist_once_named(api: Api) -> None:
    """The first request that names a node makes it exist."""
    assert api.ok("GET", "nodes") == []
    api.ok("GET", "nodes/pve-b/status")
    assert [node["node"] for node in api.ok("GET", "nodes")] == ["pve-b"]
    assert api.refused("GET", "nodes/-no-/status")[0] == 400


def test_dns_and_time_are_kept(api: Api) -> None:
    """A node's resolvers and time zone come back as they were set; an unknown zone is refused."""
    api.ok("PUT", "nodes/pve-a/dns", search="lab.example", dns1="10.0.0.1")
    assert api.ok("GET", "nodes/pve-a/dns") == {"search": "lab.example", "dns1": "10.0.0.1"}
    api.ok("PUT", "nodes/pve-a/time", timezone="Europe/Berlin")
    assert api.ok("GET", "nodes/pve-a/time")["timezone"] == "Europe/Berlin"
    assert "timezone" in api.refused("PUT", "nodes/pve-a/time", timezone="Mars/Base")[2]
