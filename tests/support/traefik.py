"""The real Traefik with a lab's rendered files, moved to loopback.

Only places are changed: ports of entry points, addresses of targets, paths of files, the
subnets `10.10.` (which become `127.10.`, so that a client can choose its address), and
where certificates and plugins come from. Everything else is as rendered.
"""

import http.client
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.support.needs import need
from toolchain.resolve import find

LOCAL = "127.0.0.1"
PLUGINS = Path(__file__).resolve().parents[1] / "ingress" / "plugins-local"
_SECRETS = "/run/homelab/secrets/"
_PATIENCE = 15.0
_KINDS = ("routers", "services", "middlewares")


@dataclass(frozen=True)
class Authority:
    """Who signs certificates, in place of Let's Encrypt."""

    directory: str
    """The URL at which it is found."""
    trusted: Path
    """The root of its own HTTPS, in PEM form."""
    resolver: str
    """Address and port of the name server that is asked whether a record is there."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What Traefik finds on loopback in place of a lab."""

    folder: Path
    """Empty; holds all files."""
    certificates: tuple[Path, Path] | Authority | None
    """The chain and key that an authority would have given out, or the authority; None where the lab has a pair."""
    targets: Mapping[str, str] = field(default_factory=dict)
    """Where each target listens, by the address that the lab gives it: `10.144.0.3:80` to `127.0.0.1:4711`."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """The content of each secret file, by its name in `folder`."""
    environment: Mapping[str, str] = field(default_factory=dict)


class TraefikRefused(Exception):
    """Traefik ended at its start; the text is what it said."""


class RealTraefik:
    """Traefik with both files of a lab; started by `start`, as often as one likes."""

    def __init__(self, static: str, dynamic: str, around: Surroundings) -> None:
        self.ports = {name: _free_port() for name in read_yaml(static)["entryPoints"]}
        """The loopback port of each entry point."""
        self.log = around.folder / "log"
        """What it said since its last start."""
        self._around, self._api = around, _free_port()
        self._declared = declared_in(dynamic)
        self._process: subprocess.Popen[bytes] | None = None
        self._write(read_yaml(static), read_yaml(dynamic))

    def _write(self, static: Any, dynamic: Any) -> None:
        folder = self._around.folder
        for name, value in self._around.secrets.items():
            (folder / name).write_text(value)
        shutil.copytree(PLUGINS, folder / "plugins-local")
        routes = folder / "routes"
        routes.mkdir()
        (routes / "routes.yaml").write_text(json.dumps(_moved_dynamic(dynamic, self._around)))
        static["providers"]["file"]["directory"] = str(routes)
        moved = _moved_static(static, self._around, self.ports, self._api)
        (folder / "traefik.yaml").write_text(json.dumps(moved))

    def start(self) -> None:
        """Start it, and wait until it has read its files.

        Raises:
            TraefikRefused: it did not start, or had not read the dynamic file in time.
        """
        folder = self._around.folder
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", traefik_program(), f"--configFile={folder}/traefik.yaml"],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={"PATH": os.environ["PATH"], **self._around.environment},
            )
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                if self._declared <= set(self.known()):
                    return
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.05)
        raise TraefikRefused(self.log.read_text())

    def stop(self) -> None:
        """End it as an engine does, with SIGTERM."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None

    def ask(self, path: str) -> Any:
        """What its API says."""
        with closing(http.client.HTTPConnection(LOCAL, self._api, timeout=5)) as connection:
            connection.request("GET", f"/api/{path}")
            response = connection.getresponse()
            if response.status != http.HTTPStatus.OK:
                raise ConnectionError(f"/api/{path}: {response.status}")
            return json.loads(response.read())

    def known(self) -> dict[str, dict[str, Any]]:
        """Every router, service and middleware that came from the file, by `http.routers.NAME`."""
        found = {}
        for protocol in ("http", "tcp", "udp"):
            for kind in _KINDS if protocol != "udp" else _KINDS[:2]:
                for part in self.ask(f"{protocol}/{kind}?per_page=1000"):
                    if part["provider"] == "file":
                        found[f"{protocol}.{kind}.{part['name'].partition('@')[0]}"] = part
        return found

    def errors(self) -> dict[str, Any]:
        """Everything that it could not use, with its reason."""
        return {
            name: part.get("error", part["status"])
            for name, part in self.known().items()
            if part["status"] != "enabled" or part.get("error")
        }


def read_yaml(text: str) -> Any:
    """What a YAML reader makes of a file."""
    return YAML(typ="safe", pure=True).load(text)


def declared_in(dynamic: str) -> set[str]:
    """What a dynamic file holds, in the words of `RealTraefik.known`."""
    return {
        f"{protocol}.{kind}.{name}"
        for protocol, section in read_yaml(dynamic).items()
        if protocol != "tls"
        for kind in _KINDS
        for part, content in section.get(kind, {}).items()
        for name in (_in_memory(part, content) if (protocol, kind) == ("http", "routers") else (part,))
    }


def _in_memory(name: str, router: Any) -> Iterator[str]:
    """Traefik makes one router for each of several entry points that have middlewares or TLS of their own
    (`pkg/server/aggregator.go`, applyModel)."""
    entry_points = router["entryPoints"]
    yield from (f"{entry}-{name}" for entry in entry_points) if len(entry_points) > 1 else (name,)


@contextmanager
def running_traefik(static: str, dynamic: str, around: Surroundings) -> Iterator[RealTraefik]:
    """Start Traefik with both files, and stop it at the end.

    Raises:
        TraefikRefused: it did not start, or had not read the dynamic file in time.
    """
    traefik = RealTraefik(static, dynamic, around)
    try:
        traefik.start()
        yield traefik
    finally:
        traefik.stop()


def traefik_program() -> Path:
    """The program itself."""
    program = find("traefik")
    need(program is not None, "traefik is not built yet; run: python -m toolchain build traefik")
    assert program is not None
    return program


def _free_port() -> int:
    """A port that neither protocol uses just now."""
    while True:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind((LOCAL, 0))
            port: int = tcp.getsockname()[1]
            try:
                udp.bind((LOCAL, port))
            except OSError:
                continue
            return port


def _moved_static(static: Any, around: Surroundings, ports: Mapping[str, int], api: int) -> Any:
    for name, entry in static["entryPoints"].items():
        entry["address"] = f":{ports[name]}" + ("/udp" if entry["address"].endswith("/udp") else "")
        forwarded = entry.get("forwardedHeaders", {})
        if forwarded:
            forwarded["trustedIPs"] = [_moved_address(text) for text in forwarded["trustedIPs"]]
    static["entryPoints"]["traefik"] = {"address": f"{LOCAL}:{api}"}
    static["api"] = {"insecure": True, "dashboard": False}
    if isinstance(around.certificates, Authority):
        _ask(around.certificates, static["certificatesResolvers"]["letsencrypt"]["acme"], around.folder)
    else:
        static.pop("certificatesResolvers", None)
        for entry in static["entryPoints"].values():
            entry.get("http", {}).get("tls", {}).clear()
    if experimental := static.get("experimental"):
        plugins = experimental.pop("plugins")
        experimental["localPlugins"] = {
            name: {"moduleName": plugin["moduleName"]} for name, plugin in plugins.items()
        }
    return static


def _ask(authority: Authority, acme: dict[str, Any], folder: Path) -> None:
    """Get certificates from an authority, with `acme` as the way to it."""
    acme |= {
        "caServer": authority.directory,
        "caCertificates": [str(authority.trusted)],
        "storage": str(folder / "acme.json"),
        # Hours; the shortest term that Traefik knows, whose renewal it looks at every minute.
        "certificatesDuration": 1,
    }
    acme["dnsChallenge"] |= {
        "resolvers": [authority.resolver],
        # The zone's own name servers would be asked at port 53, which is not the sandbox's on loopback.
        "propagation": {"disableANSChecks": True, "requireAllRNS": True},
    }


def _moved_dynamic(dynamic: Any, around: Surroundings) -> Any:
    if "tls" in dynamic and isinstance(around.certificates, tuple):
        chain, key = around.certificates
        dynamic["tls"]["certificates"] = [{"certFile": str(chain), "keyFile": str(key)}]
    return _moved(dynamic, around)


def _moved(value: Any, around: Surroundings) -> Any:
    if isinstance(value, dict):
        return {name: _moved(part, around) for name, part in value.items()}
    if isinstance(value, list):
        return [_moved(part, around) for part in value]
    if not isinstance(value, str):
        return value
    for wanted, found in around.targets.items():
        before, at, after = value.partition(wanted)
        if at and not after[:1].isdigit():
            return before + found + after
    return _moved_address(value.replace(_SECRETS, f"{around.folder}/"))


def _moved_address(text: str) -> str:
    return text.replace("10.10.", "127.10.", 1) if text.startswith("10.10.") else text
