"""What each entry point of the ingress refuses: plain HTTP where TLS is spoken, and names that no certificate covers.

Asked once for each audience, of the host of one of its routes. A port for plain HTTP has to
redirect, and to serve nothing.
"""

import http.client
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lab.plan.records import EntryPointPlan, IngressPlan
from probe.certificates import is_refusal

_TIMEOUT = 5.0
_STRANGE_NAME = "nobody.invalid"
"""A name that is nobody's (RFC 6761)."""
_REFUSED = "refused"
_NO_SERVICE = (0, 400, 404)
"""Nobody answered, or Traefik did itself."""


@dataclass(frozen=True, kw_only=True)
class EntryPointResult:
    """One thing that an entry point has to refuse."""

    audience: str
    port: int
    asked: str
    expected: str
    observed: str
    ok: bool


def check_entry_points(
    ingress: IngressPlan, listens: Mapping[int, tuple[str, int]], *, covered: bool
) -> tuple[EntryPointResult, ...]:
    """Ask each published entry point for what it has to refuse.

    Args:
        ingress: the ingress.
        listens: for each port, where to connect instead (a forwarder); the entry point's own address where there is
            none.
        covered: whether there is a certificate, so that names that it does not cover can be refused.
    """
    return tuple(
        result
        for entry in ingress.entry_points
        if entry.published and (host := _host(ingress, entry)) is not None
        for result in _checked(ingress, entry, host, listens, covered)
    )


def _host(ingress: IngressPlan, entry: EntryPointPlan) -> str | None:
    hosts = (r.host for r in ingress.routes if entry.audience in r.audiences and r.protocol == "http")
    return next(hosts, None)


def _checked(
    ingress: IngressPlan,
    entry: EntryPointPlan,
    host: str,
    listens: Mapping[int, tuple[str, int]],
    covered: bool,
) -> Iterator[EntryPointResult]:
    way = listens.get(entry.port, (entry.address, entry.port))
    if entry.tls == "own":
        status, _ = _plain(*way, host)
        yield EntryPointResult(
            audience=entry.audience,
            port=entry.port,
            asked=f"plain HTTP for {host}",
            expected="no service",
            observed=str(status) if status else "no answer",
            ok=status in _NO_SERVICE,
        )
        if covered and ingress.refuses_unknown_names:
            observed = _handshake(*way, _STRANGE_NAME)
            yield EntryPointResult(
                audience=entry.audience,
                port=entry.port,
                asked=f"a handshake for {_STRANGE_NAME}",
                expected=_REFUSED,
                observed=observed,
                ok=observed == _REFUSED,
            )
    if entry.redirect is not None:
        status, location = _plain(*listens.get(entry.redirect, (entry.address, entry.redirect)), host)
        yield EntryPointResult(
            audience=entry.audience,
            port=entry.redirect,
            asked=f"plain HTTP for {host}",
            expected="a redirect to HTTPS",
            observed=f"{status} {location}".strip() if status else "no answer",
            ok=status in (301, 308) and location.startswith(f"https://{host}"),
        )


def _plain(address: str, port: int, host: str) -> tuple[int, str]:
    """The status of a request without TLS, or 0, and where it is sent on to."""
    try:
        with socket.create_connection((address, port), timeout=_TIMEOUT) as plain:
            plain.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            response = http.client.HTTPResponse(plain)
            response.begin()
            return response.status, response.getheader("Location", "")
    except (OSError, http.client.HTTPException):
        return 0, ""


def _handshake(address: str, port: int, name: str) -> str:
    """What comes of TLS for a name; nobody's silence is no refusal."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((address, port), timeout=_TIMEOUT) as plain,
            context.wrap_socket(plain, server_hostname=name),
        ):
            return "a certificate"
    except OSError as error:
        return _REFUSED if isinstance(error, ssl.SSLError) and is_refusal(error) else "no answer"
