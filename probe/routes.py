"""One request for each route and audience, through the ingress: does the right service answer?

The certificate is not verified here: until an authority is reached, Traefik serves one
that it signed itself, and the report says so.
"""

import http.client
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass

from lab.plan.records import IngressPlan

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


def check_routes(
    ingress: IngressPlan, listens: Mapping[int, tuple[str, int]], stand_ins: frozenset[str]
) -> tuple[RouteResult, ...]:
    """Send one request for each route by each of its ways in.

    Args:
        ingress: the ingress.
        listens: for each entry point's port, where to connect instead (a forwarder); the
            entry point's own address where there is none.
        stand_ins: the endpoints that name themselves in their answers.
    """
    entries = {entry.audience: entry for entry in ingress.entry_points}
    results = []
    for route in ingress.routes:
        for audience in route.audiences:
            entry = entries.get(audience)
            if entry is None:
                continue
            address, port = listens.get(entry.port, (entry.address, entry.port))
            started = time.monotonic()
            status, answer, issuer = _request(address, port, route.host, route.path or "/")
            name = str(route.target)
            right = 200 <= status < 400 and (name not in stand_ins or name in answer)
            results.append(
                RouteResult(
                    host=route.host,
                    audience=audience,
                    url=f"https://{route.host}:{port}{route.path or '/'}",
                    expected=name,
                    status=status,
                    answer=answer[:60],
                    ok=right,
                    issuer=issuer,
                    milliseconds=(time.monotonic() - started) * 1000,
                )
            )
    return tuple(results)


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
