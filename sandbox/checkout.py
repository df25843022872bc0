"""What belongs to one checkout: its identity, folders, ports and credentials.

Two checkouts on one machine never share a name, a port, a socket or a secret: all names derive from the
checkout's path, ports are chosen once and kept, credentials are made once and kept in a file that only its
owner can read. It starts nothing and opens no socket, except to see whether a port is free.
"""

import fcntl
import hashlib
import json
import os
import secrets
import socket
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.port_users import port_user

# sockaddr_un.sun_path has 108 bytes on Linux, the last one for the terminating zero.
SOCKET_PATH_BYTES = 107
# Below Linux's default range for outgoing connections (32768-60999): a kept port is not taken by chance.
FIRST_PORT, LAST_PORT = 20000, 29999
# What listens on its port over UDP, too.
_UDP_TOO = frozenset({"dns"})
# Guests with longer names are refused when they start, if the path leaves no room for them.
USUAL_GUEST = "x" * 20


def cache_dir() -> Path:
    """The folder of downloaded and built things that all checkouts of a user share."""
    if override := os.environ.get("HOMELAB_CACHE"):
        return Path(override)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "homelab"


def write_atomically(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file so that a reader, or a crash, sees the old text or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)


class Checkout:
    """The sandbox's share of one checkout; everything it keeps lies in `<root>/.sandbox`.

    Attributes:
        root: the resolved path of the checkout.
        id: 8 hexadecimal digits of the SHA-256 of that path.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.id = hashlib.sha256(str(self.root).encode()).hexdigest()[:8]
        self.dir = self.root / ".sandbox"
        self.ports_file = self.dir / "ports.json"
        self.credentials_file = self.dir / "credentials.json"
        self.endpoints_file = self.dir / "endpoints.json"
        self.env_file = self.dir / "env"
        self.lock_file = self.dir / "daemon.lock"
        self.daemon_file = self.dir / "daemon.json"
        self.control_socket = self.dir / "control.sock"
        self.store_file = self.dir / "store.sqlite"
        self.guests_file = self.dir / "guests.json"
        self.docker_dir = self.dir / "docker"
        self.sockets_dir = self.dir / "run"
        self.engines_dir = self.dir / "engines"
        self.nodes_dir = self.dir / "nodes"
        self.logs_dir = self.dir / "logs"
        self.certificates_dir = self.dir / "certificates"
        self.ca_bundle = self.dir / "ca-bundle.pem"
        self.roots_file = self.dir / "certificate-roots.pem"
        self.pulumi_home = self.dir / "pulumi"
        self.pulumi_state = self.dir / "state"

    @property
    def prefix(self) -> str:
        """How the name of each kernel object of this checkout starts."""
        return f"hl-{self.id[:6]}-"

    def front_socket(self, guest: str) -> Path:
        """The socket through which clients reach the Docker Engine of a guest."""
        return self.docker_dir / f"{guest}.sock"

    def engine_socket(self, guest: str) -> Path:
        """The engine's own socket, behind the front socket."""
        return self.sockets_dir / f"{guest}.sock"

    def snippets_dir(self, node: str, storage: str) -> Path:
        """The snippets of a storage of a node; whoever uses the sandbox places them, as on a real node."""
        return self.nodes_dir / node / storage / "snippets"

    def engine_dir(self, guest: str) -> Path:
        """The folder that holds everything of the engine of a guest, its data root included."""
        return self.engines_dir / guest

    def require_short_path(self, guest: str = USUAL_GUEST) -> None:
        """Refuse a checkout whose sockets would have paths that the kernel cannot take.

        Args:
            guest: the name of the guest that needs the sockets.

        Raises:
            SandboxError: with the path, the limit and the repair.
        """
        longest = self.front_socket(guest)
        excess = len(os.fsencode(longest)) - SOCKET_PATH_BYTES
        if excess > 0:
            raise SandboxError(
                f"the path of this checkout, {self.root}, is {excess} bytes too long: its Docker sockets "
                f"would exceed the {SOCKET_PATH_BYTES} bytes that Linux allows for a socket's path; move it "
                "to a shorter path"
            )

    def ports(self, names: Iterable[str]) -> dict[str, int]:
        """The loopback port of each name, chosen at the first call that asks for it and kept for ever.

        Args:
            names: such as `proxmox`, or `forward:docker-1:443`.

        Raises:
            SandboxError: when no port is free.
        """
        with self._exclusive():
            kept = self._read(self.ports_file)
            ports = {name: int(str(port)) for name, port in kept.items()}
            missing = [name for name in names if name not in ports]
            for name in missing:
                ports[name] = self._free_port(set(ports.values()), name)
            if missing:
                write_atomically(self.ports_file, json.dumps(ports, indent=2, sort_keys=True) + "\n")
            return ports

    def require_port(self, name: str) -> int:
        """The kept port of a name, which nobody else may be using now.

        Raises:
            SandboxError: when another process listens on it, with the repair.
        """
        port = self.ports([name])[name]
        if not _is_free(port, name):
            user = port_user(port)
            raise SandboxError(
                f"port {port} on 127.0.0.1, which {self.ports_file.relative_to(self.root)} keeps for "
                f"{name}, is in use by another program{f' ({user})' if user else ''}; "
                f'stop that program, or delete the line "{name}" from that file to get '
                "another port"
            )
        return port

    def credential(self, name: str) -> str:
        """The credential of this name, made at the first call and kept in a file of mode 0600.

        Args:
            name: `proxmox-token`, `cloudflare-token`, `cloudflare-token-maker`, `tailscale-key`, or
                `secret:<NAME>`.
        """
        return self.credentials([name])[name]

    def credentials(self, names: Iterable[str] = ()) -> dict[str, str]:
        """All kept credentials, those of `names` made first where they are missing."""
        with self._exclusive():
            kept = {name: str(value) for name, value in self._read(self.credentials_file).items()}
            missing = [name for name in names if name not in kept]
            for name in missing:
                kept[name] = _new_credential(name)
            if missing:
                text = json.dumps(kept, indent=2, sort_keys=True) + "\n"
                write_atomically(self.credentials_file, text, mode=0o600)
            return kept

    def make_dirs(self) -> None:
        """Create the folders of the sandbox; nobody but their owner can enter."""
        self.dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.dir.chmod(0o700)
        for folder in (
            self.docker_dir,
            self.sockets_dir,
            self.engines_dir,
            self.logs_dir,
            self.certificates_dir,
            self.pulumi_state,
        ):
            folder.mkdir(exist_ok=True)

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        self.dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.dir / "kept.lock").open("w") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield

    def _read(self, path: Path) -> dict[str, object]:
        if not path.exists():
            return {}
        try:
            document = json.loads(path.read_text())
        except ValueError as error:
            raise SandboxError(f"{path} is not JSON ({error}); repair or delete it") from None
        if not isinstance(document, dict):
            raise SandboxError(f"{path} must hold one JSON object; repair or delete it")
        return document

    def _free_port(self, taken: set[int], name: str) -> int:
        size = LAST_PORT - FIRST_PORT + 1
        # Each checkout begins elsewhere, so that two of them that are both stopped rarely keep the same port.
        begin = int(hashlib.sha256(f"{self.id}/{name}".encode()).hexdigest()[:8], 16) % size
        for step in range(size):
            port = FIRST_PORT + (begin + step) % size
            if port not in taken and _is_free(port, name):
                return port
        raise SandboxError(
            f"no port between {FIRST_PORT} and {LAST_PORT} is free on 127.0.0.1; stop some programs"
        )


def _is_free(port: int, name: str) -> bool:
    kinds = [socket.SOCK_STREAM, *([socket.SOCK_DGRAM] if name in _UDP_TOO else [])]
    return all(_can_bind(port, kind) for kind in kinds)


def _can_bind(port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:
            # As servers do: a port whose last connections are still in TIME_WAIT is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _new_credential(name: str) -> str:
    forms: dict[str, Callable[[], str]] = {
        "proxmox-token": lambda: f"pulumi@pve!sandbox={uuid.uuid4()}",
        "tailscale-key": lambda: f"tskey-api-k{secrets.token_hex(8)}CNTRL-{secrets.token_hex(16)}",
        "cloudflare-token": lambda: secrets.token_hex(20),
        "cloudflare-token-maker": lambda: secrets.token_hex(20),
    }
    return forms.get(name, lambda: secrets.token_urlsafe(24))()
