"""The route test: one request for each route, audience and path through the real Traefik, and everybody else refused.

The lab is `tests/support/ingress_lab.yaml`. Its VLANs `10.10.` are `127.10.` here, so a
visitor comes from the address that the lab would see.
"""

import base64
import hashlib
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab.plan.records import IngressPlan, RoutePlan
from lab.render.traefik import dynamic_configuration, static_configuration
from probe.entry_points import check_entry_points
from probe.routes import check_routes
from sandbox.certificates import (
    authority_file,
    ensure_certificates,
    ensure_named,
    server_context,
    server_files,
)
from sandbox.checkout import Checkout
from tests.lab.render.test_traefik import FILES
from tests.support.backends import Backends, backends, shown_certificate
from tests.support.plans import plan_of
from tests.support.traefik import LOCAL, RealTraefik, Surroundings, running_traefik

pytestmark = pytest.mark.engine

DECIDED = plan_of(FILES["ingress"])
assert DECIDED.ingress is not None
INGRESS: IngressPlan = DECIDED.ingress
LAPI_KEY = "bouncer-key"
SIGNED_IN = {"Cookie": "session=ann"}
STAFF = {"Authorization": "Basic YW5uOnNlY3JldA=="}
"""ann:secret"""
HOME, ELSEWHERE, DESK, BANNED = "127.10.20.5", "127.10.30.8", "127.10.10.5", "127.10.66.6"


@dataclass(frozen=True)
class Edge:
    """The running ingress, and what stands behind it."""

    traefik: RealTraefik
    behind: Backends
    mail: bytes
    """The certificate of the service whose TLS is passed through."""


@dataclass(frozen=True)
class Answer:
    """What a visitor got."""

    status: int
    headers: dict[str, str]
    said: Any


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """Traefik with the lab's files and a service at the end of every route."""
    folder = tmp_path_factory.mktemp("edge")
    checkout = Checkout(folder)
    ensure_certificates(checkout)
    for server, name in (("wildcard", "*.edge.lab.example"), ("mail", "mail.edge.lab.example")):
        ensure_named(checkout, server, [name])
    with backends() as behind:
        behind.banned = BANNED
        targets = {route.url.rpartition("/")[2]: _target(behind, checkout, route) for route in INGRESS.routes}
        assert INGRESS.crowdsec is not None
        targets[INGRESS.crowdsec.address] = behind.http("crowdsec")
        hashed = "{SHA}" + base64.b64encode(hashlib.sha1(b"secret").digest()).decode()
        secrets = {
            "staff-users": f"ann:{hashed}\n",
            "crowdsec-key": LAPI_KEY,
            "proxmox-ca": authority_file(checkout).read_text(),
        }
        (folder / "traefik").mkdir()
        around = Surroundings(
            folder=folder / "traefik",
            targets=targets,
            secrets=secrets,
            certificates=server_files(checkout, "wildcard"),
        )
        static = static_configuration(INGRESS, DECIDED.certificate)
        with running_traefik(static, dynamic_configuration(INGRESS, DECIDED.certificate), around) as traefik:
            assert traefik.errors() == {}
            yield Edge(traefik, behind, _der(server_files(checkout, "mail")[0]))
            behind.hold.set()


def _target(behind: Backends, checkout: Checkout, route: RoutePlan) -> str:
    if route.protocol == "udp":
        return behind.udp(route.name)
    if route.passthrough:
        return behind.http(route.name, server_context(checkout, "mail"))
    if route.protocol == "tcp":
        return behind.tcp(route.name)
    return behind.http(route.name, server_context(checkout) if route.target_tls else None)


def _der(chain: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert(
        chain.read_text().partition("-----END")[0] + "-----END CERTIFICATE-----\n"
    )


def ask(
    edge: Edge,
    entry: str,
    host: str,
    path: str = "/",
    *,
    by: str = LOCAL,
    headers: dict[str, str] | None = None,
    name: str | None = None,
) -> Answer:
    """One request over TLS, from an address, for a host; the name in the handshake is the host unless given."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    address = (LOCAL, edge.traefik.ports[entry])
    with (
        socket.create_connection(address, timeout=10, source_address=(by, 0)) as plain,
        context.wrap_socket(plain, server_hostname=name or host) as secure,
    ):
        return _ask(secure, host, path, headers or {})


def _ask(connection: socket.socket, host: str, path: str, headers: dict[str, str]) -> Answer:
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {host}",
        "Connection: close",
        *(f"{k}: {v}" for k, v in headers.items()),
    ]
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    response = http.client.HTTPResponse(connection)
    response.begin()
    body = response.read()
    compressed = response.getheader("Content-Encoding") is not None
    said = json.loads(body) if not compressed and body.startswith(b"{") else body
    return Answer(response.status, {key.lower(): value for key, value in response.getheaders()}, said)


def full(host: str) -> str:
    """A host of the lab."""
    return f"{host}.edge.lab.example"


VISITORS: dict[str, str] = {"management": DESK, "lan": HOME}
"""Where the visitors of an audience come from, where something looks at it."""
WAYS = [
    (route, audience) for route in INGRESS.routes if route.protocol == "http" for audience in route.audiences
]


@pytest.mark.parametrize(("route", "audience"), WAYS, ids=lambda part: getattr(part, "name", part))
def test_each_route_leads_to_its_service(edge: Edge, route: RoutePlan, audience: str) -> None:
    """With all that it asks for, a request by each of its ways in reaches the right service, and only that."""
    by = VISITORS.get(audience, LOCAL)
    path = f"{route.path or ''}/x"
    answer = ask(edge, audience, route.host, path, by=by, headers={**SIGNED_IN, **STAFF})
    assert (answer.status, answer.said["service"], answer.said["path"]) == (200, route.name, path)
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "x-powered-by" not in answer.headers
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.said["headers"].get("X-Authentik-Username") == (None if route.auth == "none" else "ann")
    assert ("Authorization" in answer.said["headers"]) is ("staff" not in route.middlewares)


@pytest.mark.parametrize("route", [r for r in INGRESS.routes if r.protocol == "http"], ids=lambda r: r.name)
@pytest.mark.parametrize("audience", [entry.audience for entry in INGRESS.entry_points])
def test_nobody_else_has_a_way_in(edge: Edge, route: RoutePlan, audience: str) -> None:
    """At the port of an audience that a route is not for, its host leads to no service of that name."""
    if audience in route.audiences:
        return
    by = VISITORS.get(audience, LOCAL)
    answer = ask(edge, audience, route.host, f"{route.path or ''}/", by=by, headers={**SIGNED_IN, **STAFF})
    assert answer.status == 404 or answer.said["service"] != route.name


@pytest.mark.parametrize("host", ["admin", "pve-a", "pve-b"])
def test_without_a_login_nobody_is_let_in(edge: Edge, host: str) -> None:
    """Forward authentication refuses, the service sees nothing, and nobody names himself."""
    told = {"X-authentik-username": "root", "X_authentik_username": "root"}
    answer = ask(edge, "management", full(host), by=DESK, headers=told)
    assert (answer.status, answer.said) == (401, b"sign in first")
    signed = ask(edge, "management", full(host), by=DESK, headers={**SIGNED_IN, **told})
    seen = {k.lower(): v for k, v in signed.said["headers"].items() if "authentik" in k.lower()}
    assert seen == {"x-authentik-username": "ann"}


def test_the_way_back_from_the_sign_in_is_open(edge: Edge) -> None:
    """Below every guarded host Authentik's outpost answers itself, or nobody could come back from signing in."""
    answer = ask(edge, "internet", full("admin"), "/outpost.goauthentik.io/start")
    assert (answer.status, answer.said["service"]) == (200, "sign-in-authentik")
    assert ask(edge, "internet", full("www"), "/outpost.goauthentik.io/start").said["service"] == "web-app"


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic YW5uOndyb25n"}])
def test_a_password_is_asked_for(edge: Edge, headers: dict[str, str]) -> None:
    """Without a password, and with a wrong one, basic authentication refuses."""
    answer = ask(edge, "lan", full("wiki"), headers=headers)
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Basic ")


def test_a_wrong_address_is_refused(edge: Edge) -> None:
    """An allow list lets its addresses in and nobody else, on a route and for a whole audience."""
    assert ask(edge, "lan", full("printer"), by=HOME).status == 200
    assert ask(edge, "lan", full("printer"), by="127.10.30.7").status == 200
    assert ask(edge, "lan", full("printer"), by=ELSEWHERE).status == 403
    forged = {"X-Forwarded-For": HOME, "X-Real-Ip": HOME}
    assert ask(edge, "lan", full("printer"), by=ELSEWHERE, headers=forged).status == 403
    assert ask(edge, "management", full("auth"), by=DESK).status == 200
    assert ask(edge, "management", full("auth"), by=HOME).status == 403


def test_who_is_banned_is_not_even_asked_to_sign_in(edge: Edge) -> None:
    """The bouncer comes before authentication, and asks with the key from the secret file."""
    answer = ask(edge, "internet", full("admin"), by=BANNED)
    assert (answer.status, answer.said) == (403, b"banned\n")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert edge.behind.keys == {LAPI_KEY}


def test_too_many_requests_are_refused(edge: Edge) -> None:
    """Three at once and then one a minute: the fourth is answered with 429, and other visitors are not."""
    visitor = "127.10.77.1"
    found = [ask(edge, "internet", full("www"), "/api", by=visitor).status for _ in range(5)]
    assert found == [200, 200, 200, 429, 429]
    assert ask(edge, "internet", full("www"), "/api", by="127.10.77.2").status == 200


def test_too_many_at_a_time_are_refused(edge: Edge) -> None:
    """While two requests are under way the third is answered with 429."""
    threads = [threading.Thread(target=ask, args=(edge, "tailnet", full("desk"), "/slow")) for _ in range(2)]
    for thread in threads:
        thread.start()
    arrived = [edge.behind.held.acquire(timeout=10) for _ in threads]
    third = ask(edge, "tailnet", full("desk")).status
    edge.behind.hold.set()
    for thread in threads:
        thread.join()
    assert arrived == [True, True]
    assert third == 429
    assert ask(edge, "tailnet", full("desk")).status == 200


def test_answers_are_compressed(edge: Edge) -> None:
    """For who accepts it, and for nobody else."""
    assert (
        ask(edge, "lan", full("www"), headers={"Accept-Encoding": "gzip"}).headers["content-encoding"]
        == "gzip"
    )
    assert "content-encoding" not in ask(edge, "lan", full("www")).headers


def test_declared_headers_are_set(edge: Edge) -> None:
    """On the answer and on the request."""
    answer = ask(edge, "tailnet", full("desk"))
    assert answer.headers["x-robots-tag"] == "none"
    assert answer.said["headers"]["X-Lab"] == "edge"


@pytest.mark.parametrize("host", ["www", "nobody"])
def test_plain_http_is_redirected(edge: Edge, host: str) -> None:
    """The port for HTTP serves nothing: whatever is asked there is sent to HTTPS at the audience's port."""
    with closing(http.client.HTTPConnection(LOCAL, edge.traefik.ports["internet_http"], timeout=5)) as plain:
        plain.request("GET", "/x?y=1", headers={"Host": full(host)})
        answer = plain.getresponse()
        answer.read()
    port = edge.traefik.ports["internet"]
    assert (answer.status, answer.getheader("Location")) == (301, f"https://{full(host)}:{port}/x?y=1")


@pytest.mark.parametrize("entry", [entry.audience for entry in INGRESS.entry_points])
def test_plain_http_at_a_port_for_tls_reaches_nobody(edge: Edge, entry: str) -> None:
    """A request without TLS at the port of an audience is answered by no service."""
    with socket.create_connection((LOCAL, edge.traefik.ports[entry]), timeout=5) as plain:
        plain.settimeout(5)
        answer = _ask(plain, full("www"), "/", {})
    assert answer.status == 404


@pytest.mark.parametrize("entry", [entry.audience for entry in INGRESS.entry_points])
def test_an_unknown_name_gets_no_handshake(edge: Edge, entry: str) -> None:
    """A name that no certificate covers is refused before anything is asked, a missing one too."""
    port = edge.traefik.ports[entry]
    for name in ("www.other.example", "a.b.edge.lab.example"):
        with pytest.raises(ssl.SSLError):
            shown_certificate(LOCAL, port, name)
    assert shown_certificate(LOCAL, port, full("nobody"))


def test_a_wrong_host_leads_nowhere(edge: Edge) -> None:
    """A name that the certificate covers and no route has is answered with 404, also behind a right handshake."""
    assert ask(edge, "internet", full("nobody")).status == 404
    assert ask(edge, "internet", "www.other.example", name=full("www")).status == 404


def test_old_tls_is_refused(edge: Edge) -> None:
    """Nothing older than TLS 1.2 is spoken."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match=r"TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection((LOCAL, edge.traefik.ports["lan"]), timeout=5) as plain,
        pytest.raises(ssl.SSLError, match="alert protocol version"),
        context.wrap_socket(plain, server_hostname=full("www")),
    ):
        pass


def test_tls_is_passed_through_by_its_name(edge: Edge) -> None:
    """For the name of such a route the target shows its own certificate, at the audience's port and no other."""
    ports = edge.traefik.ports
    assert shown_certificate(LOCAL, ports["internet"], full("mail")) == edge.mail
    assert ask(edge, "internet", full("mail")).said["service"] == "mail-jmap"
    assert shown_certificate(LOCAL, ports["lan"], full("mail")) != edge.mail
    assert ask(edge, "lan", full("mail")).status == 404


def test_tcp_is_passed_on(edge: Edge) -> None:
    """Whoever connects to the route's own port gets its service, if the allow list has the address."""
    address = (LOCAL, edge.traefik.ports["games-minecraft_tcp"])
    with socket.create_connection(address, timeout=5, source_address=(HOME, 0)) as connection:
        assert connection.recv(100) == b"games-minecraft"
    with socket.create_connection(address, timeout=5, source_address=(ELSEWHERE, 0)) as connection:
        assert connection.recv(100) == b""


def test_udp_is_passed_on(edge: Edge) -> None:
    """A datagram to the route's own port gets the answer of its service."""
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.sendto(b"?", (LOCAL, edge.traefik.ports["games-minecraft-2_udp"]))
        assert client.recv(100) == b"games-minecraft-2"


def test_verify_asks_the_same(edge: Edge) -> None:
    """What `lab verify` asks without a login finds everything as it has to be at the real Traefik."""
    ports = {entry.port: (LOCAL, edge.traefik.ports[entry.audience]) for entry in INGRESS.entry_points}
    ports |= {
        entry.redirect: (LOCAL, edge.traefik.ports[f"{entry.audience}_http"])
        for entry in INGRESS.entry_points
        if entry.redirect
    }
    routes = check_routes(INGRESS, ports, frozenset())
    assert [result for result in routes if not result.ok] == []
    assert {(r.host.partition(".")[0], r.audience, r.status) for r in routes} >= {
        ("admin", "internet", 401),
        ("wiki", "lan", 401),
        ("printer", "lan", 403),
        ("www", "lan", 200),
    }
    refusals = check_entry_points(INGRESS, ports, covered=True)
    assert [result for result in refusals if not result.ok] == []
    assert len(refusals) == 2 * len(INGRESS.entry_points) + 1
