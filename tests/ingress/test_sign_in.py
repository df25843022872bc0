"""One factor or two at the real Traefik: Authelia's own code decides, from the rendered file.

Of the sign-in only its words over HTTP are played: a visitor's cookie says how many factors were shown, and the answer
is as Authelia's (`internal/handlers/handler_authz.go`).
"""

import http.client
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from lab.plan.records import IngressPlan
from lab.render.authelia import access_control
from lab.render.traefik import dynamic_configuration, static_configuration
from sandbox.certificates import ensure_certificates, ensure_named, server_files
from sandbox.checkout import Checkout
from tests.support.authelia import policies
from tests.support.backends import backends
from tests.support.builders import ingress, plan, route, service, stack
from tests.support.traefik import LOCAL, RealTraefik, Surroundings, running_traefik

pytestmark = pytest.mark.engine

UPSTREAM = "127.10.20.2"
"""Who ends TLS for the internet: `10.10.20.2` of the lab, on loopback."""
_BOTH = ("internet", "tailnet")
DECIDED = plan(
    ingress=ingress(
        audiences={"internet": {"port": 80}, "tailnet": {"port": 8443}},
        tls="upstream",
        trusted_upstreams=["10.10.20.2"],
        auth={"kind": "authelia", "endpoint": "service:sign-in/authelia", "default": "one-factor"},
    ),
    tailnet={},
    stacks={
        "web": stack(
            root=service(listens=[80], route=route("www", *_BOTH)),
            admin=service(listens=[80], route=route("www", *_BOTH, path="/admin", auth="two-factor")),
            open=service(listens=[80], route=route("www", *_BOTH, path="/open", auth="none")),
            vault=service(listens=[80], route=route("vault", *_BOTH, auth="two-factor")),
        ),
        "sign-in": stack(authelia=service(listens=[9091], route=route("auth", *_BOTH, auth="none"))),
    },
)
assert DECIDED.ingress is not None
INGRESS: IngressPlan = DECIDED.ingress
TWO_FACTORS = {route.name for route in INGRESS.routes if route.auth == "two-factor"}
_NEEDED = {"bypass": 0, "one_factor": 1, "two_factor": 2}


@dataclass(frozen=True)
class Answer:
    """What a visitor got: `service` and `headers` are what arrived at a service, if one was reached."""

    status: int
    location: str | None
    service: str | None
    headers: dict[str, str]


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealTraefik]:
    """Traefik with the lab's files, a service at the end of every route, and the sign-in."""
    folder = tmp_path_factory.mktemp("edge")
    checkout = Checkout(folder)
    ensure_certificates(checkout)
    ensure_named(checkout, "wildcard", ["*.lab.example"])
    (folder / "access-control.yml").write_text(access_control(INGRESS, DECIDED.domain))
    (folder / "traefik").mkdir()
    assert INGRESS.auth_url is not None
    with backends() as behind, _sign_in(folder / "access-control.yml") as asked_at:
        services = [route for route in INGRESS.routes if route.target != INGRESS.auth]
        targets = {route.url.rpartition("/")[2]: behind.http(route.name) for route in services}
        around = Surroundings(
            folder=folder / "traefik",
            targets={**targets, INGRESS.auth_url.split("/")[2]: asked_at},
            certificates=server_files(checkout, "wildcard"),
        )
        with running_traefik(
            static_configuration(INGRESS), dynamic_configuration(INGRESS), around
        ) as traefik:
            assert traefik.errors() == {}
            yield traefik


@contextmanager
def _sign_in(file: Path) -> Iterator[str]:
    """Where a sign-in answers that takes its decisions from the file."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told = self.headers
            url = f"{told['X-Forwarded-Proto']}://{told['X-Forwarded-Host']}{told['X-Forwarded-Uri']}"
            [policy] = policies([file], [url])
            shown = int(told.get("Cookie", "factors=0").removeprefix("factors="))
            if policy == "deny":
                self._answer(403)
            elif shown < _NEEDED[policy]:
                self._answer(302, Location=f"https://auth.lab.example/?rd={url}")
            else:
                self._answer(200, **{"Remote-User": "ann"})

        def _answer(self, status: int, **headers: str) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": "0"}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer((LOCAL, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"{LOCAL}:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def ask(edge: RealTraefik, entry: str, host: str, path: str, *, factors: int, **headers: str) -> Answer:
    """One request of somebody who has shown so many factors; headers with `_` for `-`."""
    address = (LOCAL, edge.ports[entry])
    with socket.create_connection(address, timeout=10, source_address=(UPSTREAM, 0)) as plain:
        if entry == "internet":
            return _ask(
                plain, host, path, {"Cookie": f"factors={factors}", "X-Forwarded-Proto": "https", **headers}
            )
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with context.wrap_socket(plain, server_hostname="www.lab.example") as secure:
            return _ask(secure, host, path, {"Cookie": f"factors={factors}", **headers})


def _ask(connection: socket.socket, host: str, path: str, headers: dict[str, str]) -> Answer:
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    response = http.client.HTTPResponse(connection)
    response.begin()
    body = response.read()
    said: dict[str, Any] = json.loads(body) if body.startswith(b"{") else {}
    return Answer(
        response.status, response.getheader("Location"), said.get("service"), said.get("headers", {})
    )


@pytest.mark.parametrize("entry", _BOTH)
@pytest.mark.parametrize(
    ("host", "path", "needed", "service"),
    [
        ("www", "/", 1, "web-root"),
        ("www", "/admin", 2, "web-admin"),
        ("www", "/admin/users?all", 2, "web-admin"),
        ("www", "/open", 0, "web-open"),
        ("vault", "/", 2, "web-vault"),
    ],
)
def test_each_route_asks_for_its_factors(
    edge: RealTraefik, entry: str, host: str, path: str, needed: int, service: str
) -> None:
    """With as many as it asks for its service answers, with fewer the visitor is sent to sign in for that page."""
    name = f"{host}.lab.example"
    for factors in range(3):
        answer = ask(edge, entry, name, path, factors=factors)
        if factors >= needed:
            assert (answer.status, answer.service) == (200, service)
        else:
            assert (answer.status, answer.service) == (302, None)
            assert answer.location == f"https://auth.lab.example/?rd=https://{name}{path}"


SPELLINGS = [
    *(("vault.lab.example" + end, "/") for end in ("", ".", ":80", ":8443")),
    ("VAULT.lab.example", "/"),
    *(
        ("www.lab.example", path)
        for path in (
            "/admin/",
            "/adminx",
            "//admin",
            "/x/../admin",
            "/open/../admin",
            "/%61dmin",
            "/admin/..%2fx",
            "/admin/..%2Fopen",
            "/admin/%2e%2e/x",
            "/admin%2f..%2f..%2fx",
            "/admin%5c..%5cx",
            "/admin%00/..%2f",
            "/admin;a/../x",
            "/admin%3f/../x",
            "/admin?/../x",
            "/open/..%2fadmin",
        )
    ),
]


@pytest.mark.parametrize("entry", _BOTH)
@pytest.mark.parametrize(("host", "path"), SPELLINGS)
def test_no_spelling_gets_by_with_one_factor(edge: RealTraefik, entry: str, host: str, path: str) -> None:
    """However a host and path are written, Traefik and Authelia mean the same place, or nobody is let in."""
    assert ask(edge, entry, host, path, factors=1).service not in TWO_FACTORS


@pytest.mark.parametrize("entry", _BOTH)
@pytest.mark.parametrize(
    "told",
    [
        {"X-Forwarded-Host": "www.lab.example"},
        {"X-Forwarded-Host": "auth.lab.example"},
        {"X-Forwarded-Host": "www.lab.example", "X-Forwarded-Uri": "/open", "X-Forwarded-Method": "OPTIONS"},
        {"X_Forwarded_Host": "www.lab.example"},
        {"Forwarded": "host=www.lab.example"},
        {"X-Original-Url": "https://www.lab.example/"},
    ],
)
def test_a_visitor_does_not_name_another_request(edge: RealTraefik, entry: str, told: dict[str, str]) -> None:
    """What a visitor writes of where he goes is not what the sign-in is asked about, by way of a terminator either."""
    assert ask(edge, entry, "vault.lab.example", "/", factors=1, **told).status == 302
    assert ask(edge, entry, "vault.lab.example", "/", factors=2, **told).service == "web-vault"


@pytest.mark.parametrize("entry", _BOTH)
@pytest.mark.parametrize(
    ("host", "path", "named"),
    [("vault.lab.example", "/", {"remote-user": "ann"}), ("www.lab.example", "/open", {})],
)
def test_a_visitor_does_not_name_himself(
    edge: RealTraefik, entry: str, host: str, path: str, named: dict[str, str]
) -> None:
    """The name that arrives is the sign-in's, and nobody's on a route where nobody is asked."""
    forged = {"Remote-User": "root", "Remote_User": "root", "Remote-Groups": "admins"}
    answer = ask(edge, entry, host, path, factors=2, **forged)
    seen = {name.lower(): value for name, value in answer.headers.items() if "remote" in name.lower()}
    assert seen == named
