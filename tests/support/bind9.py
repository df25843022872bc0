"""BIND from Debian's packages, run on files that were rendered: the real `named` and its checkers.

Forwarding over TLS needs 9.20, which older releases have in their backports.
"""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import dns.rcode

from sandbox import debian
from sandbox.debian import PackageSet, show
from sandbox.fabric.kernel import inside

_PACKAGES = PackageSet(
    folder="bind9",
    title="BIND",
    size="3 MB",
    roots=("bind9", "bind9-libs", "bind9-utils"),
    instead="run the tests on Debian or Ubuntu",
    backports=True,
)


@dataclass(frozen=True)
class Bind9:
    """The programs of an unpacked set."""

    root: Path

    def run(self, program: str, *arguments: str) -> str:
        """What a checker prints; it has to be content."""
        command = [str(self.program(program)), *arguments]
        done = subprocess.run(command, env=self.environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"
        return done.stdout

    def program(self, name: str) -> Path:
        """Where a program is: checkers are for everybody, the server is not."""
        return next(
            path
            for path in (self.root / f"usr/{folder}/{name}" for folder in ("bin", "sbin"))
            if path.exists()
        )

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Variables with which the programs find their libraries."""
        libraries = sorted({str(path.parent) for path in self.root.glob("**/*-linux-gnu*/**/*.so*")})
        return {"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": ":".join(libraries), **(more or {})}

    @contextmanager
    def serve(self, configuration: Path, namespace: Path, **environment: str) -> Iterator[None]:
        """Answer in a network namespace until the end of the block."""
        command = [str(self.program("named")), "-g", "-4", "-c", str(configuration)]
        log = configuration.with_name("log")
        with log.open("w") as stream:

            def start() -> "subprocess.Popen[bytes]":
                return subprocess.Popen(
                    command, env=self.environment(environment), stdout=stream, stderr=stream
                )

            server = inside(namespace, start)
            try:
                _wait_until_it_answers(server, log, namespace)
                yield
            finally:
                server.terminate()
                server.wait(timeout=20)


def _wait_until_it_answers(server: "subprocess.Popen[bytes]", log: Path, namespace: Path) -> None:
    """It says that it runs some milliseconds before it does: until then every question fails."""
    query = dns.message.make_query("version.bind", "TXT", "CH")

    def answers() -> bool:
        try:
            return dns.query.udp(query, "127.0.0.1", timeout=1).rcode() == dns.rcode.NOERROR
        except (dns.exception.Timeout, OSError):
            return False

    for _ in range(200):
        if " running" in log.read_text() and inside(namespace, answers):
            return
        assert server.poll() is None, log.read_text()
        time.sleep(0.05)
    raise AssertionError(log.read_text())


def bind9(cache: Path) -> Bind9:
    """The programs, fetched on the first call for a cache."""
    return Bind9(debian.unpacked(cache, _PACKAGES) or debian.fetch(cache, _PACKAGES, show))
