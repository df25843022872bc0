"""The cloud-init file of a Docker host: closed before Docker starts, and placed on the nodes of the dev lab."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from cli.up import place_bootstraps
from lab.render.bootstrap import docker_host
from lab.render.guard import TABLE
from tests.support.plans import plan_of

ROOT = Path(__file__).resolve().parents[3]
RULES = "/etc/homelab/bootstrap.nft"


def document() -> Any:
    """What cloud-init makes of the file."""
    return YAML(typ="safe", pure=True).load(docker_host())


def files() -> dict[str, str]:
    """The content of each file that it writes."""
    return {entry["path"]: entry["content"] for entry in document()["write_files"]}


def lines(path: str) -> list[str]:
    """The lines of a written file that are no comments."""
    return [line.strip() for line in files()[path].splitlines() if line.strip()[:1] not in ("", "#")]


def test_it_is_a_cloud_config_that_installs_docker_and_nft() -> None:
    """Its first line says what it is, and the programs that it calls are among its packages."""
    assert docker_host().startswith("#cloud-config\n")
    assert {"docker.io", "nftables"} <= set(document()["packages"])


def test_the_table_is_replaced_in_one_transaction_and_lets_nothing_pass() -> None:
    """It is the guard's own table; what is forwarded is dropped, and so is what containers send to the host."""
    assert lines(RULES) == [
        f"table inet {TABLE}",
        f"delete table inet {TABLE}",
        f"table inet {TABLE} {{",
        "chain forward {",
        "type filter hook forward priority -5; policy drop;",
        "}",
        "chain input {",
        "type filter hook input priority -5; policy accept;",
        'iifname "br-*" drop',
        'iifname "docker0" drop',
        "}",
        "}",
    ]


def test_docker_does_not_start_without_the_table() -> None:
    """A unit loads it before Docker at every boot, Docker requires the unit, and it is enabled before Docker."""
    unit = lines("/etc/systemd/system/homelab-bootstrap.service")
    assert f"ExecStart=/usr/sbin/nft -f {RULES}" in unit
    assert {"Type=oneshot", "RemainAfterExit=yes", "Before=docker.service"} <= set(unit)
    assert "WantedBy=multi-user.target" in unit
    drop_in = lines("/etc/systemd/system/docker.service.d/homelab.conf")
    assert {"Requires=homelab-bootstrap.service", "After=homelab-bootstrap.service"} <= set(drop_in)
    commands = [" ".join(command) for command in document()["runcmd"]]
    enabled = [next(i for i, text in enumerate(commands) if name in text) for name in ("homelab-", "docker")]
    assert enabled == sorted(enabled)
    assert commands[0] == "systemctl daemon-reload"


def test_packets_between_containers_of_one_bridge_meet_rules() -> None:
    """The module is loaded, bridged packets of IPv4 and IPv6 are filtered, and IPv6 is off."""
    assert lines("/etc/modules-load.d/homelab.conf") == ["br_netfilter"]
    assert lines("/etc/sysctl.d/90-homelab.conf") == [
        "net.bridge.bridge-nf-call-iptables = 1",
        "net.bridge.bridge-nf-call-ip6tables = 1",
        "net.ipv6.conf.all.disable_ipv6 = 1",
    ]


def test_the_userland_proxy_stays_on() -> None:
    """Without it a container cannot reach a port that another container of its host publishes."""
    assert json.loads(files()["/etc/docker/daemon.json"]) == {"live-restore": True, "log-driver": "local"}


def test_the_file_is_placed_where_each_guest_looks_for_it(tmp_path: Path) -> None:
    """Each managed guest with a bootstrap file finds it on its node and storage; nothing else is written."""
    plan = plan_of(ROOT / "Pulumi.dev.yaml")
    nodes = tmp_path / "sandbox" / "nodes"
    place_bootstraps(plan, nodes)
    wanted = {
        f"{guest.node}/{guest.bootstrap.replace(':', '/')}"
        for guest in plan.guests
        if guest.bootstrap and guest.managed
    }
    placed = {str(path.relative_to(nodes)): path for path in nodes.rglob("*") if path.is_file()}
    assert wanted
    assert set(placed) == wanted
    assert {path.read_text() for path in placed.values()} == {docker_host()}
    assert nodes.parent.stat().st_mode & 0o077 == 0


def test_guests_that_are_only_observed_get_no_file(tmp_path: Path) -> None:
    """Somebody else starts them."""
    plan = plan_of(ROOT / "Pulumi.dev.yaml")
    observed = replace(plan, guests=tuple(replace(guest, managed=False) for guest in plan.guests))
    place_bootstraps(observed, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_placed_file_is_renewed_only_when_it_differs(tmp_path: Path) -> None:
    """One that is current is left alone; an older one is replaced as a whole."""
    plan = plan_of(ROOT / "Pulumi.dev.yaml")
    place_bootstraps(plan, tmp_path)
    first = next(path for path in tmp_path.rglob("*") if path.is_file())
    before = first.stat().st_ino
    place_bootstraps(plan, tmp_path)
    assert first.stat().st_ino == before
    first.write_text("#cloud-config\n")
    before = first.stat().st_ino
    place_bootstraps(plan, tmp_path)
    assert first.read_text() == docker_host()
    assert first.stat().st_ino != before
