"""Bridges, storage contents, hardware mappings."""

from tests.sandbox.proxmox.doubles import Api


def test_bridges_are_pending_until_the_reload(api: Api) -> None:
    """A bridge is listed at once and active after the reload; a second of its name is refused."""
    new = {"iface": "vmbr1", "type": "bridge", "cidr": "10.0.0.2/24", "bridge_ports": "eno1", "mtu": 9000}
    api.ok("POST", "nodes/pve-a/network", **new)
    entry = next(one for one in api.ok("GET", "nodes/pve-a/network") if one["iface"] == "vmbr1")
    assert "active" not in entry
    assert (entry["mtu"], entry["address"], entry["netmask"]) == ("9000", "10.0.0.2", "24")
    assert api.refused("POST", "nodes/pve-a/network", **new)[2] == {"iface": "interface already exists"}
    taken = {"iface": "vmbr2", "type": "bridge", "bridge_ports": "eno1"}
    assert (
        "already used by bridge 'vmbr1'"
        in api.refused("POST", "nodes/pve-a/network", **taken)[2]["bridge_ports"]
    )
    api.done("PUT", "nodes/pve-a/network")
    assert api.ok("GET", "nodes/pve-a/network/vmbr1")["active"] == 1
    api.ok("PUT", "nodes/pve-a/network/vmbr1", type="bridge", comments="lab")
    changed = api.ok("GET", "nodes/pve-a/network/vmbr1")
    assert changed["comments"] == "lab\n"
    assert "address" not in changed
    api.ok("DELETE", "nodes/pve-a/network/vmbr1")
    assert api.refused("PUT", "nodes/pve-a/network/vmbr1", type="bridge")[1] == "interface does not exist"


def test_downloads_are_recorded_and_say_so(api: Api) -> None:
    """A download makes a volume without a connection, its log says simulated, a second is refused."""
    url = "https://images.example/a/debian-13.qcow2"
    assert api.ok("GET", "nodes/pve-a/query-url-metadata", url=url)["filename"] == "debian-13.qcow2"
    call = "nodes/pve-a/storage/tank/download-url"
    values = {"content": "import", "filename": "debian-13.qcow2", "url": url}
    upid = api.ok("POST", call, **values)
    assert api.wait(upid) == "OK"
    log = api.ok("GET", f"nodes/pve-a/tasks/{upid.replace('!', '%21')}/log")
    assert any("simulated" in line["t"] for line in log)
    (found,) = api.ok("GET", "nodes/pve-a/storage/tank/content", content="import")
    assert found["volid"] == "tank:import/debian-13.qcow2"
    assert api.refused("POST", call, **values)[1] == "refusing to override existing file 'debian-13.qcow2'"
    assert "filename" in api.refused("POST", call, content="import", filename="a.img", url=url)[2]
    assert "tank" in [one["storage"] for one in api.ok("GET", "nodes/pve-a/storage")]
    api.done("DELETE", "nodes/pve-a/storage/tank/content/tank%3Aimport%2Fdebian-13.qcow2")
    assert api.ok("GET", "nodes/pve-a/storage/tank/content") == []


def test_pci_mappings(api: Api) -> None:
    """A mapping keeps its entries as they were sent; its entries are checked; a missing one says so."""
    entry = "id=10de:27b0,node=pve-a,path=0000:01:00.0,iommugroup=14"
    api.ok("POST", "cluster/mapping/pci", id="gpu", map=[entry], description="the GPU")
    assert api.ok("GET", "cluster/mapping/pci/gpu")["map"] == [entry]
    assert "already exists" in api.refused("POST", "cluster/mapping/pci", id="gpu", map=[entry])[1]
    bad = api.refused("POST", "cluster/mapping/pci", id="usb", map=["id=nonsense,node=pve-a,path=x"])
    assert "map" in bad[2]
    api.ok("PUT", "cluster/mapping/pci/gpu", map=[entry], delete="description")
    assert "description" not in api.ok("GET", "cluster/mapping/pci/gpu")
    api.ok("DELETE", "cluster/mapping/pci/gpu")
    assert api.refused("GET", "cluster/mapping/pci/gpu")[1] == "'gpu' does not exist"


def test_there_are_no_pools(api: Api) -> None:
    """Pools are an empty list, and a named one does not exist."""
    assert api.ok("GET", "pools") == []
    assert api.refused("GET", "pools", poolid="lab")[1] == "pool 'lab' does not exist"
