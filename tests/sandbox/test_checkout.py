"""Identity, ports and credentials of a checkout."""

import json
import os
import socket
from pathlib import Path

import pytest

from sandbox.checkout import FIRST_PORT, LAST_PORT, SOCKET_PATH_BYTES, Checkout
from sandbox.errors import SandboxError


def test_two_checkouts_share_no_name(tmp_path: Path) -> None:
    """Folders that differ only in their last letter give different ids, prefixes and first ports."""
    one, two = Checkout(tmp_path / "a"), Checkout(tmp_path / "b")
    assert (one.id, one.prefix) != (two.id, two.prefix)
    assert one.ports(["proxmox"]) != two.ports(["proxmox"])


def test_a_linked_path_is_the_same_checkout(tmp_path: Path) -> None:
    """A checkout reached through a symbolic link has the id of its real path."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert Checkout(tmp_path / "link").id == Checkout(tmp_path / "real").id


def test_a_port_is_chosen_once_and_kept(tmp_path: Path) -> None:
    """Later calls, with more names and from a new object, give the port of the first call."""
    first = Checkout(tmp_path).ports(["proxmox"])["proxmox"]
    later = Checkout(tmp_path).ports(["cloudflare", "proxmox"])
    assert later["proxmox"] == first
    assert later["cloudflare"] != first
    assert all(FIRST_PORT <= port <= LAST_PORT for port in later.values())


def test_a_port_in_use_is_one_sentence_with_the_repair(tmp_path: Path) -> None:
    """A kept port that another program took is refused by name, file and repair."""
    checkout = Checkout(tmp_path)
    port = checkout.require_port("proxmox")
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(SandboxError) as caught:
            checkout.require_port("proxmox")
    assert str(caught.value) == (
        f"port {port} on 127.0.0.1, which .sandbox/ports.json keeps for proxmox, is in use by another "
        f"program (process {os.getpid()}, {Path('/proc/self/comm').read_text().strip()}); "
        'stop that program, or delete the line "proxmox" from that file to get another port'
    )


def test_the_name_server_needs_its_port_for_udp_too(tmp_path: Path) -> None:
    """Who has it for UDP alone is in the way of names, and of nothing else."""
    checkout = Checkout(tmp_path)
    ports = checkout.ports(["dns", "proxmox"])
    for name in ("dns", "proxmox"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.1", ports[name]))
            if name == "proxmox":
                assert checkout.require_port(name) == ports[name]
                continue
            with pytest.raises(SandboxError, match=f"port {ports[name]} on 127.0.0.1, .* keeps for dns"):
                checkout.require_port(name)


def test_a_new_port_is_never_one_that_is_in_use(tmp_path: Path) -> None:
    """The port that a name would get by its hash is skipped while somebody listens on it."""
    port = Checkout(tmp_path).ports(["proxmox"])["proxmox"]
    (tmp_path / ".sandbox" / "ports.json").unlink()
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        assert Checkout(tmp_path).ports(["proxmox"])["proxmox"] != port


def test_credentials_are_made_once_and_private(tmp_path: Path) -> None:
    """A credential never changes, has its form, and lies in a file that only its owner reads."""
    checkout = Checkout(tmp_path)
    token = checkout.credential("proxmox-token")
    key = checkout.credential("tailscale-key")
    assert token.startswith("pulumi@pve!sandbox=")
    assert key.startswith("tskey-api-")
    assert Checkout(tmp_path).credential("proxmox-token") == token
    assert checkout.credentials_file.stat().st_mode & 0o777 == 0o600
    assert checkout.credential("secret:one") != checkout.credential("secret:two")


def test_a_broken_file_of_ports_is_named(tmp_path: Path) -> None:
    """A ports file that is no JSON stops with its path instead of being replaced."""
    checkout = Checkout(tmp_path)
    checkout.dir.mkdir()
    checkout.ports_file.write_text("{")
    with pytest.raises(SandboxError, match=r"ports\.json is not JSON .*; repair or delete it"):
        checkout.ports(["proxmox"])
    assert checkout.ports_file.read_text() == "{"


def test_a_path_too_long_for_sockets_is_refused(tmp_path: Path) -> None:
    """The sentence names the path, the excess and the limit; one byte less is accepted."""
    room = SOCKET_PATH_BYTES - len(f"/.sandbox/docker/{'x' * 20}.sock")
    fits = Checkout(Path("/" + "d" * (room - 1)))
    fits.require_short_path()
    long = Checkout(Path("/" + "d" * room))
    with pytest.raises(SandboxError) as caught:
        long.require_short_path()
    assert f"the path of this checkout, {long.root}, is 1 bytes too long" in str(caught.value)
    assert "move it to a shorter path" in str(caught.value)
    with pytest.raises(SandboxError, match="is 1 bytes too long"):
        fits.require_short_path("g" * 21)


def test_ports_file_is_plain_json(tmp_path: Path) -> None:
    """A person can read and repair the file of ports: one JSON object, one line per port."""
    checkout = Checkout(tmp_path)
    ports = checkout.ports(["a", "b"])
    assert json.loads(checkout.ports_file.read_text()) == ports
    assert len(checkout.ports_file.read_text().splitlines()) == 4
