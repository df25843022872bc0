"""Routes asked of a real server: who answers, and whether its certificate is right."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lab.flows import Endpoint
from lab.plan.records import BasicAuthPlan, EntryPointPlan, IngressPlan, RoutePlan
from probe.certificates import REFUSED, wait_until_trusted
from probe.routes import RouteResult, check_routes
from sandbox.certificates import authority_file, ensure_certificates, ensure_named, server_context
from sandbox.checkout import Checkout
from tests.support.tls import refusing_others, tls_server

TARGET = Endpoint("service", "b/b")


def _route(host: str) -> RoutePlan:
    return RoutePlan(name=host, host=host, target=TARGET, url="http://10.0.0.1:80", audiences=("lan", "none"))


ROUTE = _route("www.lab.example")
INGRESS = IngressPlan(
    host="docker-1",
    entry_points=(EntryPointPlan(audience="lan", port=443, address="192.0.2.1"),),
    routes=(ROUTE, _route("a.b.lab.example")),
)
"""Of two routes one has a name that the certificate does not cover; an audience without entry point has no way in."""


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """Somebody with an authority."""
    own = Checkout(tmp_path)
    ensure_certificates(own)
    ensure_named(own, "wildcard", ["*.lab.example"])
    return own


@pytest.fixture
def port(checkout: Checkout) -> Iterator[int]:
    """Where the ingress answers, with a certificate for one of its two routes."""
    with tls_server(server_context(checkout, "wildcard")) as port:
        yield port


def _asked(port: int, roots: Path | None) -> tuple[RouteResult, ...]:
    return check_routes(INGRESS, {443: ("127.0.0.1", port)}, frozenset({str(TARGET)}), roots)


def test_without_roots_nothing_is_verified(port: int) -> None:
    """Who answers is all that counts, and an authority is not called by name."""
    assert [(r.host, r.ok, r.issuer, r.days_left, r.distrust) for r in _asked(port, None)] == [
        ("www.lab.example", True, "an authority", None, ""),
        ("a.b.lab.example", True, "an authority", None, ""),
    ]


def test_with_roots_the_certificate_decides_too(checkout: Checkout, port: int) -> None:
    """A route with the wrong certificate is wrong with its reason, though the right service answers."""
    right, wrong = _asked(port, authority_file(checkout))
    assert (right.ok, right.issuer, right.distrust) == (True, f"homelab sandbox {checkout.id}", "")
    assert right.days_left is not None
    assert right.days_left > 300
    assert (wrong.ok, wrong.status, wrong.answer, wrong.days_left) == (False, 200, "service:b/b", None)
    assert "a.b.lab.example" in wrong.distrust


def test_no_answer_has_no_certificate(checkout: Checkout, port: int) -> None:
    """It is wrong for that alone; the certificate is not blamed."""
    results = check_routes(INGRESS, {443: ("127.0.0.2", port)}, frozenset(), authority_file(checkout))
    assert [(r.ok, r.status, r.distrust) for r in results] == [(False, 0, "")] * 2


def test_roots_that_cannot_be_read_verify_nothing(tmp_path: Path, port: int) -> None:
    """A file that is none of certificates is a reason, and no crash."""
    (tmp_path / "roots.pem").write_text("nothing")
    assert all(not r.ok and r.distrust for r in _asked(port, tmp_path / "roots.pem"))


def test_a_route_that_asks_for_a_login_has_to_refuse(port: int) -> None:
    """The service answers without one, which is wrong; where the sign-in is a stand-in, everybody is let in."""
    asked = replace(
        INGRESS, auth=Endpoint("service", "sign-in/authelia"), routes=(replace(ROUTE, auth="two-factor"),)
    )
    staff = replace(
        INGRESS,
        middlewares={"staff": BasicAuthPlan(users_file="/x")},
        routes=(replace(ROUTE, middlewares=("staff",)),),
    )
    listens = {443: ("127.0.0.1", port)}
    for ingress in (asked, staff):
        (found,) = check_routes(ingress, listens, frozenset({str(TARGET)}))
        assert (found.ok, found.expected) == (False, "a login before service:b/b")
    (found,) = check_routes(asked, listens, frozenset({str(TARGET), "service:sign-in/authelia"}))
    assert (found.ok, found.expected) == (True, "service:b/b")


def test_a_refused_handshake_is_a_certificate_that_is_missing(checkout: Checkout) -> None:
    """Before an authority has signed, a strict ingress refuses the name: that is told of the certificate."""
    with tls_server(refusing_others(server_context(checkout, "wildcard"), ".nobody.example")) as port:
        found, _ = _asked(port, authority_file(checkout))
        assert (found.ok, found.status, found.issuer, found.distrust) == (False, 0, "nobody", REFUSED)
        waited: list[str] = []
        arguments = ("127.0.0.1", port, "www.lab.example", authority_file(checkout))
        assert not wait_until_trusted(*arguments, seconds=0.1, tell=waited.append)
        assert REFUSED in waited[0]
