"""The real Traefik with a lab's rendered files, moved to loopback.

Only places are changed: ports of entry points, addresses of targets, paths of files, the
subnets `10.10.` (which become `127.10.`, so that a client can choose its address), and
where certificates and plugins come from. Everything else is as rendered.
"""

import http.client
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from toolchain import resolve

LOCAL = "127.0.0.1"
PLUGINS = Path(__file__).resolve().parents[1] / "ingress" / "plugins-local"
_SECRETS = "/run/homelab/secrets/"
_PATIENCE = 15.0
_KINDS = ("routers", "services", "middlewares")


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What Traefik finds on loopback in place of a lab."""

    folder: Path
    """Empty; holds all files."""
    targets: Mapping[str, str]
    """Where each target listens, by the address that the lab gives it: `10.144.0.3:80` to `127.0.0.1:4711`."""
    secrets: Mapping[str, str]
    certificate: tuple[Path, Path] | None = None
    """The chain and key that an authority would have given out, where the lab asks one."""


class RealTraefik:
    """A running Traefik."""

    def __init__(self, ports: Mapping[str, int], api: int) -> None:
        self.ports = ports
        """The loopback port of each entry point."""
        self._api = api

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


class TraefikRefused(Exception):
    """Traefik ended at its start; the text is what it said."""


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
    """Start Traefik with both files and wait until it has read them.

    Raises:
        TraefikRefused: it did not start, or had not read the dynamic file in time.
    """
    ports = {name: _free_port() for name in read_yaml(static)["entryPoints"]}
    api = _free_port()
    for name, value in around.secrets.items():
        (around.folder / name).write_text(value)
    shutil.copytree(PLUGINS, around.folder / "plugins-local")
    routes = around.folder / "routes"
    routes.mkdir()
    (routes / "routes.yaml").write_text(json.dumps(_moved_dynamic(read_yaml(dynamic), around)))
    (around.folder / "traefik.yaml").write_text(
        json.dumps(_moved_static(read_yaml(static), ports, api, routes))
    )
    log = around.folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [resolve.locate("traefik"), f"--configFile={around.folder / 'traefik.yaml'}"],
            cwd=around.folder,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    traefik = RealTraefik(ports, api)
    try:
        _wait(traefik, process, log, declared_in(dynamic))
        yield traefik
    finally:
        process.terminate()
        process.wait(10)


def _wait(traefik: RealTraefik, process: "subprocess.Popen[bytes]", log: Path, wanted: set[str]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if wanted <= set(traefik.known()):
                return
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.05)
    raise TraefikRefused(log.read_text())


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


def _moved_static(static: Any, ports: Mapping[str, int], api: int, routes: Path) -> Any:
    for name, entry in static["entryPoints"].items():
        entry["address"] = f":{ports[name]}" + ("/udp" if entry["address"].endswith("/udp") else "")
        entry.get("http", {}).get("tls", {}).clear()
        forwarded = entry.get("forwardedHeaders", {})
        if forwarded:
            forwarded["trustedIPs"] = [_moved_address(text) for text in forwarded["trustedIPs"]]
    static["entryPoints"]["traefik"] = {"address": f"{LOCAL}:{api}"}
    static["api"] = {"insecure": True, "dashboard": False}
    static["providers"]["file"]["directory"] = str(routes)
    static.pop("certificatesResolvers", None)
    if experimental := static.get("experimental"):
        plugins = experimental.pop("plugins")
        experimental["localPlugins"] = {
            name: {"moduleName": plugin["moduleName"]} for name, plugin in plugins.items()
        }
    return static


def _moved_dynamic(dynamic: Any, around: Surroundings) -> Any:
    if "tls" in dynamic and around.certificate is not None:
        chain, key = around.certificate
        dynamic["tls"].setdefault("certificates", [{"certFile": str(chain), "keyFile": str(key)}])
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
