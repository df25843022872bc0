"""One request for each route and audience, through the ingress: does the right service answer?

A request carries no login. A route that asks for one has to refuse it, and is right only if
its service did not answer. Where it is known whom to trust, the certificate has to be right for the name, and a route
whose certificate is not is wrong whatever it answers. Elsewhere it is not verified, and
the report says when Traefik signed it itself.
"""

import http.client
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from lab.plan.records import AllowPlan, BasicAuthPlan, IngressPlan, RoutePlan
from probe.certificates import Certificate, certificate_of, is_refusal

_TIMEOUT = 5.0
_TO_THE_SIGN_IN = (301, 302, 303, 307, 401, 403)
"""What an ingress answers to who has not signed in: where to do so, or that it is needed."""


@dataclass(frozen=True, kw_only=True)
class RouteResult:
    """One route by one way in."""

    host: str
    audience: str
    url: str
    """What a person opens."""
    expected: str
    """The endpoint that has to answer, or that a login is asked for before it does."""
    status: int
    """The HTTP status, or 0 when there was no answer."""
    answer: str
    ok: bool
    issuer: str
    """Who signed the certificate that was shown; `nobody` where the handshake was refused."""
    milliseconds: float
    days_left: int | None = None
    """Whole days until the certificate ends; None where it was not verified."""
    distrust: str = ""
    """Why the certificate is not right; empty where it is, or was not verified."""


def check_routes(
    ingress: IngressPlan,
    listens: Mapping[int, tuple[str, int]],
    stand_ins: frozenset[str],
    roots: Path | None = None,
) -> tuple[RouteResult, ...]:
    """Send one request for each route by each of its ways in.

    Args:
        ingress: the ingress.
        listens: for each entry point's port, where to connect instead (a forwarder); the
            entry point's own address where there is none.
        stand_ins: the endpoints that name themselves in their answers.
        roots: a file with the roots that certificates have to lead to, in PEM form; None: they are not verified.
    """
    return tuple(
        _checked(ingress, route, audience, (address, port), stand_ins, roots)
        for route, audience, address, port in ways_in(ingress, listens)
    )


def ways_in(
    ingress: IngressPlan, listens: Mapping[int, tuple[str, int]]
) -> Iterator[tuple[RoutePlan, str, str, int]]:
    """Each route by each of its audiences, with the address and port to connect to; arguments as `check_routes`."""
    for route in ingress.routes:
        for audience in route.audiences if route.protocol == "http" else ():
            if (entry := ingress.entry_point(audience)) is not None and entry.published:
                yield route, audience, *listens.get(entry.port, (entry.address, entry.port))


@dataclass(frozen=True)
class _Demands:
    """What an ingress asks of a request for a route before its service sees it."""

    login: bool
    """A stand-in of the sign-in lets everybody in, so that it asks for none."""
    address: bool
    """A list of allowed addresses, on which whoever probes may be missing."""

    @classmethod
    def of(
        cls, ingress: IngressPlan, route: RoutePlan, audience: str, stand_ins: frozenset[str]
    ) -> "_Demands":
        entry = ingress.entry_point(audience)
        names = (*(entry.middlewares if entry else ()), *route.middlewares)
        passed = [ingress.middlewares.get(name) for name in names]
        signs_in = route.auth != "none" and ingress.auth is not None and str(ingress.auth) not in stand_ins
        return cls(
            login=signs_in or any(isinstance(one, BasicAuthPlan) for one in passed),
            address=any(isinstance(one, AllowPlan) for one in passed),
        )

    def are_met_by(self, status: int, service_answered: bool) -> bool:
        """Whether an answer to a request without a login is right."""
        if self.address and status == HTTPStatus.FORBIDDEN:
            return True
        if self.login:
            return status in _TO_THE_SIGN_IN and not service_answered
        return 200 <= status < 400 and service_answered

    def in_words(self, name: str) -> str:
        """What has to come of it."""
        words = f"a login before {name}" if self.login else name
        return f"{words}, or 403 by address" if self.address else words


def _checked(
    ingress: IngressPlan,
    route: RoutePlan,
    audience: str,
    way: tuple[str, int],
    stand_ins: frozenset[str],
    roots: Path | None,
) -> RouteResult:
    started = time.monotonic()
    status, answer, issuer = _request(*way, route.host, route.path or "/")
    milliseconds = (time.monotonic() - started) * 1000
    shown = (
        _certificate(*way, route.host, roots) if roots is not None and (status or issuer) else Certificate()
    )
    name = str(route.target)
    demands = _Demands.of(ingress, route, audience, stand_ins)
    right = demands.are_met_by(status, name in answer or (name not in stand_ins and not demands.login))
    return RouteResult(
        host=route.host,
        audience=audience,
        url=f"https://{route.host}:{way[1]}{route.path or '/'}",
        expected=demands.in_words(name),
        status=status,
        answer=answer[:60],
        ok=right and not shown.problem,
        issuer=shown.issuer or issuer,
        milliseconds=milliseconds,
        days_left=shown.days_left,
        distrust=shown.problem,
    )


def _certificate(address: str, port: int, host: str, roots: Path) -> Certificate:
    try:
        return certificate_of(address, port, host, roots)
    except OSError as error:
        return Certificate(problem=str(error))


def _request(address: str, port: int, host: str, path: str) -> tuple[int, str, str]:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((address, port), timeout=_TIMEOUT) as plain,
            context.wrap_socket(plain, server_hostname=host) as secure,
        ):
            issuer = (
                "itself"
                if b"TRAEFIK DEFAULT CERT" in (secure.getpeercert(binary_form=True) or b"")
                else "an authority"
            )
            secure.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            response = http.client.HTTPResponse(secure)
            response.begin()
            return response.status, response.read(4096).decode("utf-8", "replace"), issuer
    except (OSError, http.client.HTTPException) as error:
        refused = isinstance(error, ssl.SSLError) and is_refusal(error)
        return 0, str(error), "nobody" if refused else ""
