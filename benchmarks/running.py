"""A lab that comes up, is previewed, and grows: how long one waits, for the certificate and for one service more."""

import http.client
import os
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from benchmarks.measure import Figure
from benchmarks.preview import preview_figures
from tests.acceptance.clone import clone_to
from tests.acceptance.lab import RunningLab

_RUNS = 3
_HOST, _PORT = "www.dev.lab.example", 443
_NEW_HOST = "wiki.dev.lab.example"
_ROOTS = ".sandbox/certificate-roots.pem"
_PATIENCE = 600.0
_BEFORE = "      vaultwarden:\n        host: docker-1\n"
_IMAGE = (
    "docker.io/traefik/whoami:v1.11.0@sha256:200689790a0a0ea48ca45992e0450bc26ccab5307375b41c84dfc4f2475937ab"
)
_SERVICE = f"""\
      wiki:
        host: docker-1
        services:
          app:
            image: {_IMAGE}
            listens: [80]
            route: {{host: wiki, audience: [lan]}}

"""


def running_figures() -> Iterator[Figure | str]:
    """Bring the dev lab of a clone up from nothing several times, and add and remove a service on the last."""
    if os.geteuid() != 0:
        yield "The figures of a lab that comes up are missing: its network and its engine take root."
        return
    with tempfile.TemporaryDirectory(prefix="hl-") as folder:
        lab = RunningLab(clone_to(Path(folder)))
        lab.clone.make("venv")
        try:
            whole, certificate = zip(*(_up(lab) for _ in range(_RUNS)), strict=True)
            yield Figure("`make up` from nothing but binaries, until everything is probed", whole)
            yield Figure(
                "of that, from `pulumi up` until the wildcard certificate is served and trusted", certificate
            )
            yield from preview_figures(lab.clone.root)
            added = tuple(_one_more(lab) for _ in range(_RUNS))
            yield Figure(
                "one service more on the running lab: from `pulumi up` until its route answers", added
            )
        finally:
            lab.clone.make("clean")


def _up(lab: RunningLab) -> tuple[float, float]:
    """The seconds of a whole `make up`, and those from the start of Pulumi to the certificate."""
    lab.clone.make("clean")
    started = time.perf_counter()
    with subprocess.Popen(
        ["make", "--no-print-directory", "up"], cwd=lab.clone.root, stdout=subprocess.PIPE, text=True
    ) as make:
        assert make.stdout is not None
        for line in make.stdout:
            if line.strip() == "==> pulumi up":
                break
        began = time.perf_counter()
        _until_trusted(lab, _HOST)
        trusted = time.perf_counter() - began
        make.stdout.read()
    if make.returncode != 0:
        raise RuntimeError(f"make up answered {make.returncode}")
    return time.perf_counter() - started, trusted


def _one_more(lab: RunningLab) -> float:
    with lab.edited({_BEFORE: _SERVICE + _BEFORE}):
        lab.clone.shell("python -m cli ledger --write")
        started = time.perf_counter()
        update = lab.up()
        if update.code != 0:
            raise RuntimeError(str(update))
        _until_trusted(lab, _NEW_HOST)
        seconds = time.perf_counter() - started
    # Outside the block it is not declared any more.
    lab.up()
    return seconds


def _until_trusted(lab: RunningLab, host: str) -> None:
    """Wait until a page of a host is answered with a certificate that leads to the sandbox's root.

    Raises:
        RuntimeError: it is not within ten minutes.
    """
    deadline = time.perf_counter() + _PATIENCE
    while time.perf_counter() < deadline:
        for forward in lab.status()["forwards"]:
            if forward["port"] == _PORT and _opens(lab.clone.root / _ROOTS, forward["listen"], host):
                return
        time.sleep(0.1)
    raise RuntimeError(f"{host} has no trusted certificate after {_PATIENCE:.0f} s")


def _opens(roots: Path, listen: str, host: str) -> bool:
    address, _, port = listen.rpartition(":")
    with suppress(OSError, http.client.HTTPException):
        context = ssl.create_default_context(cafile=str(roots))
        with closing(http.client.HTTPConnection(address, int(port), timeout=5)) as connection:
            connection.connect()
            connection.sock = context.wrap_socket(connection.sock, server_hostname=host)
            connection.request("GET", "/", headers={"Host": host})
            return connection.getresponse().status == 200
    return False
