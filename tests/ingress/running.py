"""Traefik as a process on loopback, with the files that a lab renders for it: only addresses, paths and the places of
the internet are others."""

import os
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography import x509
from ruamel.yaml import YAML

from lab.plan.records import LabPlan
from lab.render.traefik import dynamic_configuration, static_configuration
from probe.signing import Refusal, refusal
from tests.ingress.internet import LOOPBACK, Internet, free_port
from tests.support.needs import need
from toolchain.resolve import find

START_SECONDS = 20.0


def traefik_program() -> Path:
    """The real Traefik."""
    program = find("traefik")
    need(program is not None, "traefik is not built yet; run: python -m toolchain build traefik")
    assert program is not None
    return program


class Traefik:
    """One Traefik and its folder; started by `start`, as often as one likes.

    Args:
        folder: where its files and its certificates go.
        plan: the lab whose ingress it is.
        internet: where it gets a certificate.
    """

    def __init__(self, folder: Path, plan: LabPlan, internet: Internet) -> None:
        assert plan.ingress is not None
        self._folder, self._internet = folder, internet
        self._ingress, self._certificate = plan.ingress, plan.asked_certificate
        self._process: subprocess.Popen[bytes] | None = None
        self.token = folder / "token"
        self.log_file = folder / "traefik.log"
        self.ports = {entry.audience: free_port() for entry in plan.ingress.entry_points}
        (folder / "routes").mkdir(parents=True)

    def write(self) -> None:
        """Its two files, as the lab renders them."""
        static = YAML(typ="safe").load(static_configuration(self._ingress, self._certificate))
        self._on_loopback(static)
        YAML(typ="safe").dump(static, self._folder / "traefik.yaml")
        (self._folder / "routes" / "routes.yaml").write_text(
            dynamic_configuration(self._ingress, self._certificate)
        )

    def _on_loopback(self, static: dict[str, Any]) -> None:
        del static["entryPoints"]["ping"], static["ping"]
        for audience, port in self.ports.items():
            static["entryPoints"][audience]["address"] = f"{LOOPBACK}:{port}"
        static["providers"]["file"]["directory"] = str(self._folder / "routes")
        acme = static["certificatesResolvers"]["letsencrypt"]["acme"]
        acme |= {
            "caServer": self._internet.directory,
            "caCertificates": [str(self._internet.trusted)],
            "storage": str(self._folder / "acme.json"),
            # Hours; the shortest term that Traefik knows, whose renewal it looks at every minute.
            "certificatesDuration": 1,
        }
        acme["dnsChallenge"] |= {
            "resolvers": [self._internet.resolver],
            # The zone's own name servers would be asked at port 53, which is not the sandbox's on loopback.
            "propagation": {"disableANSChecks": True, "requireAllRNS": True},
        }

    def start(self) -> None:
        """Start it; it listens when this returns."""
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    "setpriv",
                    "--pdeathsig",
                    "KILL",
                    traefik_program(),
                    f"--configFile={self._folder}/traefik.yaml",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={
                    "PATH": os.environ["PATH"],
                    "CF_DNS_API_TOKEN_FILE": str(self.token),
                    "CLOUDFLARE_BASE_URL": self._internet.cloudflare,
                },
            )
        for port in self.ports.values():
            wait_until(lambda port=port: _listens(port), START_SECONDS, "Traefik listens")

    def stop(self) -> None:
        """End it as an engine does, with SIGTERM."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(timeout=20)
            self._process = None

    @property
    def refusal(self) -> Refusal | None:
        """Why its last try to get a certificate failed, as `lab verify` reads its log."""
        return refusal(self.log_file.read_text())

    def certificate(self, host: str) -> x509.Certificate | None:
        """What it shows a client that asks for a host name, whoever signed it; None where it refuses the name."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        port = next(iter(self.ports.values()))
        with socket.create_connection((LOOPBACK, port), timeout=5) as plain:
            try:
                with context.wrap_socket(plain, server_hostname=host) as secure:
                    shown = secure.getpeercert(binary_form=True)
            except (ssl.SSLError, ConnectionResetError):
                return None
        assert shown is not None
        return x509.load_der_x509_certificate(shown)


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex((LOOPBACK, port)) == 0


def wait_until(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Wait until something is so.

    Raises:
        AssertionError: it is not so in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.1)
