"""One request for each route and audience, through the ingress: does the right service answer?

Where it is known whom to trust, the certificate has to be right for the name, and a route
whose certificate is not is wrong whatever it answers. Elsewhere it is not verified, and
the report says when Traefik signed it itself.
"""

import http.client
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.plan.records import IngressPlan, RoutePlan
from probe.certificates import Certificate, certificate_of

_TIMEOUT = 5.0


@dataclass(frozen=True, kw_only=True)
class RouteResult:
    """One route by one way in."""

    host: str
    audience: str
    url: str
    """What a person opens."""
    expected: str
    """The endpoint that has to answer."""
    status: int
    """The HTTP status, or 0 when there was no answer."""
    answer: str
    ok: bool
    issuer: str
    """Who signed the certificate that was shown."""
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
        _checked(route, audience, (address, port), stand_ins, roots)
        for route, audience, address, port in ways_in(ingress, listens)
    )


def ways_in(
    ingress: IngressPlan, listens: Mapping[int, tuple[str, int]]
) -> Iterator[tuple[RoutePlan, str, str, int]]:
    """Each route by each of its audiences, with the address and port to connect to; arguments as `check_routes`."""
    entries = {entry.audience: entry for entry in ingress.entry_points}
    for route in ingress.routes:
        for audience in route.audiences:
            if (entry := entries.get(audience)) is not None:
                yield route, audience, *listens.get(entry.port, (entry.address, entry.port))


def _checked(
    route: RoutePlan, audience: str, way: tuple[str, int], stand_ins: frozenset[str], roots: Path | None
) -> RouteResult:
    started = time.monotonic()
    status, answer, issuer = _request(*way, route.host, route.path or "/")
    milliseconds = (time.monotonic() - started) * 1000
    shown = _certificate(*way, route.host, roots) if roots is not None and status else Certificate()
    name = str(route.target)
    right = 200 <= status < 400 and (name not in stand_ins or name in answer)
    return RouteResult(
        host=route.host,
        audience=audience,
        url=f"https://{route.host}:{way[1]}{route.path or '/'}",
        expected=name,
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
        return 0, str(error), ""
