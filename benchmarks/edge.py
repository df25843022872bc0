"""What the ingress costs: the real Traefik with the dev lab's chain before a bare service, in one run on loopback."""

import http.client
import os
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measure import Figure
from lab.plan import load_plan
from lab.plan.records import IngressPlan
from lab.render.traefik import DYNAMIC_DIRECTORY, dynamic_configuration, static_configuration
from toolchain.resolve import find

LAB = Path("Pulumi.dev.yaml")
REQUESTS, RUNS, CLIENTS, ROUTES = 300, 7, 4, 500
_LOOPBACK = "127.0.0.1"
_PING = "127.0.0.1:8082"


def edge_figures() -> Iterator[Figure | str]:
    """Latency and requests a second, bare and through Traefik, and how long a new file of many routes takes."""
    traefik, service = find("traefik"), find("standin")
    ingress = load_plan(LAB).ingress
    if traefik is None or service is None or ingress is None:
        yield "The figures of the ingress are left out: its programs are not built (`python -m toolchain build`)."
        return
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="hl-")))
        backend, entry = _free_port(), _free_port()
        stack.enter_context(_process([str(service)], folder, {"HOMELAB_LISTENS": f"{backend}/tcp"}))
        behind = _before(ingress, entry, backend)
        _place(folder, behind, 1, "first")
        (folder / "traefik.yaml").write_text(_on_loopback(static_configuration(behind), folder))
        stack.enter_context(_process([str(traefik), f"--configFile={folder}/traefik.yaml"], folder, {}))
        _until(lambda: _status(entry, _host("first", 0)) == 200)
        yield from _compared(backend, entry)
        reloads = tuple(_reload(folder, behind, entry, f"run-{number}") for number in range(RUNS))
        yield Figure(f"a new file of {ROUTES} routes, until the last of them answers", reloads)


def _compared(backend: int, entry: int) -> Iterator[Figure]:
    """Bare and through Traefik by turns, so that both see the same machine."""
    found: dict[str, list[float]] = {"bare": [], "through": [], "bare rate": [], "through rate": []}
    for _ in range(RUNS):
        found["bare"].append(1000 * _seconds(backend, "", REQUESTS) / REQUESTS)
        found["through"].append(1000 * _seconds(entry, _host("first", 0), REQUESTS) / REQUESTS)
        found["bare rate"].append(_rate(backend, ""))
        found["through rate"].append(_rate(entry, _host("first", 0)))
    yield Figure("a request to the bare service, one client", tuple(found["bare"]), unit="ms")
    yield Figure(
        "the same through Traefik, with TLS and the default chain", tuple(found["through"]), unit="ms"
    )
    asked = f"{CLIENTS} clients in one Python process"
    yield Figure(f"requests a second to the bare service, {asked}", tuple(found["bare rate"]), unit="/s")
    yield Figure("the same through Traefik", tuple(found["through rate"]), unit="/s")


def _before(ingress: IngressPlan, entry: int, backend: int) -> IngressPlan:
    """The dev lab's ingress with one way in, before one service on loopback, and open to every name."""
    way = replace(ingress.entry_points[0], port=entry, redirect=None)
    route = replace(
        ingress.routes[0], audiences=(way.audience,), url=f"http://{_LOOPBACK}:{backend}", path=None
    )
    return replace(ingress, entry_points=(way,), routes=(route,), refuses_unknown_names=False)


def _host(run: str, number: int) -> str:
    return f"{run}-{number}.bench.lab.example"


def _place(folder: Path, ingress: IngressPlan, routes: int, run: str) -> None:
    """The dynamic file, renamed into place as the loader of the volume does."""
    [route] = ingress.routes
    many = tuple(replace(route, name=_host(run, n), host=_host(run, n)) for n in range(routes))
    written = folder / "next.yaml"
    written.write_text(dynamic_configuration(replace(ingress, routes=many)))
    (folder / "now").mkdir(exist_ok=True)
    written.rename(folder / "now" / "routes.yaml")


def _reload(folder: Path, ingress: IngressPlan, entry: int, run: str) -> float:
    # Traefik waits two seconds after one file before it takes the next (`providersThrottleDuration`).
    time.sleep(2.5)
    started = time.perf_counter()
    _place(folder, ingress, ROUTES, run)
    _until(lambda: _status(entry, _host(run, ROUTES - 1)) == 200)
    return time.perf_counter() - started


def _on_loopback(static: str, folder: Path) -> str:
    ping = f"{_LOOPBACK}:{_free_port()}"
    return static.replace(DYNAMIC_DIRECTORY, str(folder / "now")).replace(_PING, ping)


def _rate(port: int, host: str) -> float:
    with ThreadPoolExecutor(CLIENTS) as clients:
        started = time.perf_counter()
        list(clients.map(lambda _: _seconds(port, host, REQUESTS), range(CLIENTS)))
        return CLIENTS * REQUESTS / (time.perf_counter() - started)


def _seconds(port: int, host: str, requests: int) -> float:
    connection = _connected(port, host)
    started = time.perf_counter()
    for _ in range(requests):
        status = _asked(connection, host)
        if status != 200:
            raise RuntimeError(f"{host or 'the service'} answered {status}")
    seconds = time.perf_counter() - started
    connection.close()
    return seconds


def _connected(port: int, host: str) -> http.client.HTTPConnection:
    """A connection that is kept: with TLS where a host name is asked for."""
    connection = http.client.HTTPConnection(_LOOPBACK, port, timeout=10)
    connection.connect()
    if host:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection.sock = context.wrap_socket(connection.sock, server_hostname=host)
    return connection


def _asked(connection: http.client.HTTPConnection, host: str) -> int:
    connection.request("GET", "/", headers={"Host": host or _LOOPBACK})
    answer = connection.getresponse()
    answer.read()
    return answer.status


def _status(port: int, host: str) -> int:
    with suppress(OSError, http.client.HTTPException):
        connection = _connected(port, host)
        try:
            return _asked(connection, host)
        finally:
            connection.close()
    return 0


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.perf_counter() + 30
    while not holds():
        if time.perf_counter() > deadline:
            raise RuntimeError("the ingress does not answer within 30 s")
        time.sleep(0.005)


@contextmanager
def _process(command: list[str], folder: Path, environment: dict[str, str]) -> Iterator[None]:
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env={"PATH": os.environ["PATH"], **environment}
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind((_LOOPBACK, 0))
        return int(found.getsockname()[1])
