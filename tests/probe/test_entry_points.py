"""What entry points refuse, asked of real servers that do and that do not."""

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from lab.flows import Endpoint
from lab.plan.records import EntryPointPlan, IngressPlan, RoutePlan
from probe.entry_points import check_entry_points
from sandbox.certificates import ensure_certificates, ensure_named, server_context
from sandbox.checkout import Checkout
from tests.support.tls import refusing_others, tls_server

ROUTE = RoutePlan(
    name="b",
    host="www.lab.example",
    target=Endpoint("service", "b/b"),
    url="http://10.0.0.1:80",
    audiences=("lan",),
)
ENTRY = EntryPointPlan(audience="lan", port=443, address="192.0.2.1")
INGRESS = IngressPlan(host="docker-1", entry_points=(ENTRY,), routes=(ROUTE,))


def seen(ingress: IngressPlan, ports: dict[int, int], *, covered: bool = True) -> list[tuple[str, str, bool]]:
    """What was asked and observed, and whether it was right."""
    listens = {port: ("127.0.0.1", local) for port, local in ports.items()}
    results = check_entry_points(ingress, listens, covered=covered)
    return [(r.asked, r.observed, r.ok) for r in results]


@pytest.fixture
def context(tmp_path: Path) -> ssl.SSLContext:
    """What a server needs to speak TLS."""
    own = Checkout(tmp_path)
    ensure_certificates(own)
    ensure_named(own, "wildcard", ["*.lab.example"])
    return server_context(own, "wildcard")


class _Plain(BaseHTTPRequestHandler):
    status, location = 200, ""

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("Location", self.location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def plain(request: pytest.FixtureRequest) -> Iterator[int]:
    """A server without TLS that answers with a status and a place to go."""
    status, location = request.param
    kind = type("Handler", (_Plain,), {"status": status, "location": location})
    server = HTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_server_of_every_name_is_told(context: ssl.SSLContext) -> None:
    """TLS for a name that is nobody's is not refused; where no certificate is asked for, that is not expected."""
    with tls_server(context) as port:
        assert seen(INGRESS, {443: port}) == [
            ("plain HTTP for www.lab.example", "no answer", True),
            ("a handshake for nobody.invalid", "a certificate", False),
        ]
        assert len(seen(INGRESS, {443: port}, covered=False)) == 1


def test_a_refused_name_is_right(context: ssl.SSLContext) -> None:
    """A server that ends the handshake for a name that it does not know is as expected."""
    with tls_server(refusing_others(context, ".lab.example")) as port:
        assert seen(INGRESS, {443: port})[1] == ("a handshake for nobody.invalid", "refused", True)


def test_nobody_there_is_no_refusal() -> None:
    """A closed port refuses nothing."""
    assert seen(INGRESS, {443: 1})[1] == ("a handshake for nobody.invalid", "no answer", False)


@pytest.mark.parametrize("plain", [(200, "")], indirect=True)
def test_plain_http_where_tls_is_spoken_is_told(plain: int) -> None:
    """A service that answers without TLS is wrong."""
    assert seen(INGRESS, {443: plain})[0] == ("plain HTTP for www.lab.example", "200", False)


@pytest.mark.parametrize(
    ("plain", "ok"),
    [
        ((301, "https://www.lab.example/"), True),
        ((308, "https://www.lab.example:8443/"), True),
        ((301, "http://www.lab.example/"), False),
        ((200, ""), False),
    ],
    indirect=["plain"],
)
def test_the_port_for_plain_http_redirects(plain: int, ok: bool) -> None:
    """Only a redirect to HTTPS for the same host is right."""
    entry = EntryPointPlan(audience="lan", port=443, address="192.0.2.1", redirect=80, tls="upstream")
    ingress = IngressPlan(host="docker-1", entry_points=(entry,), routes=(ROUTE,))
    assert [right for _, _, right in seen(ingress, {80: plain})] == [ok]


def test_what_is_not_published_is_not_asked() -> None:
    """Behind a tunnel there is no port to connect to, and an audience without routes has nothing to be asked for."""
    tunnel = EntryPointPlan(audience="lan", port=443, address="192.0.2.1", tls="tunnel")
    assert seen(IngressPlan(host="docker-1", entry_points=(tunnel,), routes=(ROUTE,)), {}) == []
    assert seen(IngressPlan(host="docker-1", entry_points=(ENTRY,)), {}) == []
