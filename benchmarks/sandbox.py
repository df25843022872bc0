"""How fast the sandbox starts, and how fast its APIs answer over their sockets, state in its file."""

import http.client
import json
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode, urlsplit

from benchmarks.measure import Figure, run
from sandbox.checkout import Checkout
from sandbox.environment import endpoints

STARTS = 7
REQUESTS = 300
_ROOT = Path(__file__).resolve().parents[1]
_FORM = "application/x-www-form-urlencoded"
Ask = Callable[[str, str, bytes | None], bytes]


def sandbox_figures() -> Iterator[Figure | str]:
    """Start until all APIs answer, then writes and reads of each API by one client."""
    # The default folder for temporary files leaves room for the paths of sockets.
    with TemporaryDirectory(prefix="hl-") as folder:
        checkout = Checkout(Path(folder))
        for name in ("sandbox", "toolchain"):
            (checkout.root / name).symlink_to(_ROOT / name)
        try:
            yield Figure("start of the sandbox, until all APIs answer", _starts(checkout), "under 2 s")
            yield from _requests(checkout)
        finally:
            _sandbox(checkout, "stop")


def _sandbox(checkout: Checkout, *words: str) -> None:
    run([sys.executable, "-m", "sandbox", "--checkout", str(checkout.root), *words], folder=_ROOT)


def _starts(checkout: Checkout) -> tuple[float, ...]:
    samples = []
    # The first start makes certificates and ports, which later ones find.
    for number in range(STARTS + 1):
        _sandbox(checkout, "stop")
        started = time.perf_counter()
        _sandbox(checkout, "start", "--simulated", "--zone", "example.org")
        if number:
            samples.append(time.perf_counter() - started)
    return tuple(samples)


def _requests(checkout: Checkout) -> Iterator[Figure]:
    for api, measure in (("proxmox", _proxmox), ("cloudflare", _cloudflare), ("tailscale", _tailscale)):
        connection = _connection(checkout, api)
        for what, samples in measure(checkout, connection):
            milliseconds = tuple(1000 * seconds for seconds in samples)
            yield Figure(f"{what} ({api} API)", milliseconds, "under 5 ms", "ms")
        connection.close()


def _connection(checkout: Checkout, api: str) -> http.client.HTTPConnection:
    address = urlsplit(endpoints(checkout)[api])
    if address.scheme == "https":
        trust = ssl.create_default_context(cafile=str(checkout.ca_bundle))
        return http.client.HTTPSConnection(address.netloc, context=trust)
    return http.client.HTTPConnection(address.netloc)


def _asking(connection: http.client.HTTPConnection, authorization: str, kind: str) -> Ask:
    def ask(method: str, path: str, body: bytes | None) -> bytes:
        connection.request(method, path, body, {"Authorization": authorization, "Content-Type": kind})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: {answer.status} {text.decode()}")
        return text

    return ask


def _timed(ask: Ask, method: str, path: str, body: Callable[[int], bytes | None]) -> list[float]:
    samples = []
    for number in range(REQUESTS):
        text = body(number)
        started = time.perf_counter()
        ask(method, path, text)
        samples.append(time.perf_counter() - started)
    return samples


Measured = Iterator[tuple[str, list[float]]]


def _proxmox(checkout: Checkout, connection: http.client.HTTPConnection) -> Measured:
    ask = _asking(connection, f"PVEAPIToken={checkout.credential('proxmox-token')}", _FORM)

    def vm(number: int) -> bytes:
        return urlencode({"vmid": 1000 + number, "name": f"vm{number}", "scsi0": "local-lvm:8"}).encode()

    yield "VM created", _timed(ask, "POST", "/api2/json/nodes/pve-a/qemu", vm)
    yield (
        "configuration of a VM read",
        _timed(ask, "GET", "/api2/json/nodes/pve-a/qemu/1000/config", lambda _: None),
    )


def _cloudflare(checkout: Checkout, connection: http.client.HTTPConnection) -> Measured:
    ask = _asking(connection, f"Bearer {checkout.credential('cloudflare-token')}", "application/json")
    (zone,) = json.loads(ask("GET", "/client/v4/zones", None))["result"]
    path = f"/client/v4/zones/{zone['id']}/dns_records"

    def record(number: int) -> bytes:
        return json.dumps({"type": "A", "name": f"h{number}", "content": "192.0.2.1", "ttl": 60}).encode()

    yield "DNS record created", _timed(ask, "POST", path, record)
    yield "page of 100 DNS records read", _timed(ask, "GET", path, lambda _: None)


def _tailscale(checkout: Checkout, connection: http.client.HTTPConnection) -> Measured:
    ask = _asking(connection, f"Bearer {checkout.credential('tailscale-key')}", "application/json")

    def key(_: int) -> bytes:
        return json.dumps({"capabilities": {"devices": {"create": {}}}}).encode()

    yield "auth key created", _timed(ask, "POST", "/api/v2/tailnet/-/keys", key)
    yield "policy file read", _timed(ask, "GET", "/api/v2/tailnet/-/acl", lambda _: None)
