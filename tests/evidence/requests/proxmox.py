"""Requests to the Proxmox VE API, made from Proxmox's own description: the calls that the sandbox plays, and their
parameters by type, bounds, enumeration, format and property string, mostly right and sometimes not.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

from sandbox.proxmox import propertystring
from sandbox.proxmox.description import NUMBERED, ApiDescription, Operation
from tests.evidence.requests import junk
from tests.evidence.requests.sending import Request

Call = tuple[str, str]
"""A method and a path template."""
NODE, VM, CONTAINER = "pve-a", "201", "301"
IMAGE, TEMPLATE = "local:import/debian-13.qcow2", "local:vztmpl/debian-13.tar.zst"
# What a parameter of this name means; few values, so that requests meet what others left.
_BY_NAME: Mapping[str, tuple[str, ...]] = {
    "node": (NODE, NODE, "pve-b"),
    "vmid": (VM, "202", CONTAINER),
    "storage": ("local", "local-lvm", "tank"),
    "volume": (IMAGE, "import/debian-13.qcow2", "local-lvm:vm-201-disk-0", "tank:subvol-301-disk-0", "local:iso/x.iso"),
    "iface": ("vmbr0", "vmbr1", "vmbr0.20", "bond0", "net0"),
    "bridge_ports": ("eno1", "eno1 eno2", ""),
    "name": ("web", "lan", "WEB"),
    "group": ("guests", "hosts"),
    "rename": ("web", "lan", "guests"),
    "pos": ("0", "1", "7"),
    "moveto": ("0", "2"),
    "cidr": ("10.0.20.0/24", "10.0.20.5", "lan", "2001:db8::/64", "10.0.20.1-10.0.20.9"),
    "cidr6": ("2001:db8::1/64",),
    "source": ("10.0.20.5", "+lan", "lan", "10.0.0.1-10.0.0.9,10.0.1.1", "+sdn/x"),
    "dest": ("10.0.20.0/24", "dc/lan", "+web"),
    "dport": ("80", "80:90,443", "ssh", "70000"),
    "sport": ("1024:65535",),
    "proto": ("tcp", "udp", "icmp", "6", "vrrp"),
    "macro": ("SSH", "HTTPS", "Nope"),
    "type": ("in", "out", "group", "bridge", "vlan", "pci", "vm"),
    "action": ("ACCEPT", "DROP", "guests", "nope"),
    "upid": ("{upid}",),
    "disk": ("scsi0", "rootfs", "ide2", "mp0"),
    "size": ("+1G", "40G", "1", "x"),
    "ostemplate": (TEMPLATE, "local:vztmpl/none.tar.zst"),
    "filename": ("debian-13.qcow2", "x.iso", "y.tar.zst", "a/b.iso", "x:y.iso"),
    "url": ("https://images.example/x.iso", "http://images.example/", "ftp://x", "https://[x"),
    "content": ("import", "iso", "vztmpl", "images"),
    "delete": ("net0", "scsi0,ide2", "rootfs", "nonsense", "comment;tags"),
    "digest": ("0" * 40, ""),
    "id": ("gpu", "nic"),
    "timezone": ("Europe/Berlin", "UTC", "Mars/Base"),
    "tags": ("b;a;A", "lab", ",,"),
    "userid": ("lab@pve", "root@pam", "x@none", "lab"),
    "tokenid": ("ci", "CI", "a b"),
    "groupid": ("team", "ops"),
    "roleid": ("Lab", "PVEAdmin"),
    "poolid": ("apps", "apps/web", "none"),
    "path": ("/", "/vms/201", "/storage/local", "/nope", "vms"),
    "roles": ("Lab", "PVEAuditor,PVEVMUser", "None"),
    "users": ("lab@pve", "root@pam,lab@pve", "x@none"),
    "groups": ("team", "ops,team"),
    "privs": ("VM.Audit", "VM.Audit,Datastore.Audit", "Nope.Audit"),
    "username": ("lab@pve", "root@pam"),
    "password": ("secret-secret", "x"),
    "start": ("0", "1"),
    "limit": ("1", "50"),
    "net0": ("virtio,bridge=vmbr0", "name=eth0,bridge=vmbr0,ip=10.0.20.5/24", "model=virtio,bridge=vmbr9", "virtio"),
    "scsi0": (
        "local-lvm:8", f"local-lvm:0,import-from={IMAGE}", "tank:vm-201-disk-0", "none,media=cdrom",
        "local:1,format=qcow2",
    ),
    "ide2": ("local-lvm:cloudinit", "none", "local-lvm:cloudinit,"),
    "rootfs": ("tank:4", "tank:subvol-301-disk-0,size=4G", "local-lvm:0"),
    "mp0": ("tank:1,mp=/data", "/srv,mp=/srv", "tank:1"),
    "ipconfig0": ("ip=10.0.20.5/24,gw=10.0.20.1", "ip=dhcp", "gw=10.0.20.1"),
    "map": ("id=8086:1521,node=pve-a,path=0000:01:00.0",),
    "features": ("nesting=1", "fuse=1"),
}  # fmt: skip
_BY_FORMAT: Mapping[str, tuple[str, ...]] = {
    "ip": ("10.0.0.1", "2001:db8::1"),
    "ipv4": ("10.0.0.1",),
    "ipv6": ("2001:db8::1",),
    "address": ("10.0.0.1", "ns.example.org"),
    "dns-name": ("web.example.org", "web"),
    "mac-addr": ("BC:24:11:00:20:01",),
    "pve-storage-id": ("local", "tank"),
    "pve-volume-id": (IMAGE, "local-lvm:vm-201-disk-0"),
}
_WORDS = ("x", "web", "a b", "10", "ä", "a=b", "a,b", "a=b,c=d")


def _of_schema(schema: Mapping[str, Any]) -> st.SearchStrategy[str]:
    kind = schema.get("type", "string")
    if schema.get("enum"):
        return st.sampled_from([str(option) for option in schema["enum"]])
    if kind == "boolean":
        return st.sampled_from(("0", "1"))
    if kind in ("integer", "number"):
        low = int(float(schema.get("minimum", 0)))
        high = int(float(schema.get("maximum", low + 5000)))
        return st.integers(low - 1, high + 1).map(str)
    inner = propertystring.schema_of(schema)
    if inner is not None:
        return _property_string(inner)
    return st.sampled_from(_BY_FORMAT.get(str(schema.get("format", "")).removesuffix("-list"), _WORDS))


def _property_string(inner: propertystring.Schema) -> st.SearchStrategy[str]:
    parts = {
        key: _of_schema(rule).map(f"{key}=".__add__) for key, rule in inner.items() if "alias" not in rule
    }
    needed = {key: part for key, part in parts.items() if not inner[key].get("optional")}
    rest = {key: part for key, part in parts.items() if key not in needed}
    chosen = st.lists(st.sampled_from(sorted(rest)), max_size=2, unique=True) if rest else st.just([])

    @st.composite
    def text(draw: st.DrawFn) -> str:
        return ",".join(draw(part) for part in [*needed.values(), *(rest[key] for key in draw(chosen))])

    return text()


class Parameters:
    """The parameters of one call; made once, because making strategies takes longer than a request."""

    def __init__(self, operation: Operation) -> None:
        self._values = {
            name.replace("[n]", "0"): self._strategy(name.replace("[n]", "0"), schema)
            for name, schema in operation.parameters.items()
            if "[n]" not in name or name.removesuffix("[n]") in NUMBERED
        }
        self._needed = [name for name, schema in operation.parameters.items() if not schema.get("optional")]
        rest = sorted(set(self._values) - set(self._needed))
        known = [name for name in rest if name in _BY_NAME]
        self._chosen = (
            st.lists(st.sampled_from([*rest, *known * 3]), max_size=4, unique=True) if rest else st.just([])
        )

    @staticmethod
    def _strategy(name: str, schema: Mapping[str, Any]) -> st.SearchStrategy[str]:
        if name not in _BY_NAME:
            return _of_schema(schema)
        named = st.sampled_from(_BY_NAME[name])
        return named | _of_schema(schema) if schema.get("enum") else named

    def draw(self, draw: st.DrawFn) -> dict[str, str]:
        """The needed parameters and up to four others; now and then one is left out, odd or unknown."""
        found = {name: draw(self._values[name]) for name in [*self._needed, *draw(self._chosen)]}
        damaged = junk.damage(draw, found) if junk.one_in(draw, 4) else found
        return {name: value if isinstance(value, str) else repr(value) for name, value in damaged.items()}


def requests(description: ApiDescription, routes: Iterable[Call]) -> st.SearchStrategy[tuple[Call, Request]]:
    """A call and a request for it; `{upid}` in the path stands for a task.

    Args:
        description: the API's own.
        routes: the calls that the sandbox plays; now and then one that it does not is asked.
    """
    parameters = {key: Parameters(description.operations[key[1]][key[0]]) for key in routes}
    # The order of a dictionary is that of the modules, and hypothesis needs one that never changes.
    keys = sorted(parameters)
    creates = [key for key in keys if key[0] == "POST"]
    played = st.sampled_from([*keys, *creates, *creates])
    anything = st.sampled_from(
        [(m, path) for path, methods in description.operations.items() for m in methods]
    )

    @st.composite
    def request(draw: st.DrawFn) -> tuple[Call, Request]:
        if junk.one_in(draw, 30):
            method, template = draw(anything)
            return (method, template), Request(method=method, path=f"/api2/json{template}")
        method, template = draw(played)
        values = parameters[method, template].draw(draw)
        if "{vmid}" in template and not junk.one_in(draw, 4):
            values |= {"node": NODE, "vmid": CONTAINER if "/lxc/" in template else VM}
        path = "/".join(_segment(draw, part, values) for part in template.split("/"))
        text = urlencode(values, errors="surrogatepass")
        bare = method in ("GET", "DELETE")
        return (method, template), Request(
            method=method,
            path=f"/api2/json{path}{f'?{text}' if bare and text else ''}",
            body=None if bare else text.encode(),
            headers={} if bare else {"Content-Type": "application/x-www-form-urlencoded"},
        )

    return request()


def _segment(draw: st.DrawFn, part: str, values: dict[str, str]) -> str:
    name = part.strip("{}")
    if name == part:
        return part
    value = values.pop(name, "x")
    return junk.segment(
        draw, "{upid}" if value == "{upid}" else quote(value, safe="", errors="surrogatepass")
    )
