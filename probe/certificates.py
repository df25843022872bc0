"""The certificate that a server shows: who signed it, for how long, and why it would not be trusted."""

import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECONDS = 5.0
_DAY = 86400
_PAUSE_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """What a client who trusts certain roots makes of a certificate."""

    issuer: str = ""
    """The name of who signed it; empty where it is not verified."""
    days_left: int | None = None
    """Whole days until it ends; None where it is not verified."""
    problem: str = ""
    """Why chain or name is not right, in OpenSSL's words; empty where both are."""


_ALERTS = ("TLSV1_", "TLSV13_", "SSLV3_ALERT_")
"""How OpenSSL names what the other side said against a handshake (`openssl/sslerr.h`)."""
REFUSED = "the handshake is refused, as where there is no certificate for the name"
"""The problem of a certificate that is not shown at all."""


def certificate_of(address: str, port: int, host: str, roots: Path) -> Certificate:
    """Look at the certificate that is shown for a host name.

    Args:
        address: where to connect.
        port: the port there.
        host: the name that is asked for, and that has to be in the certificate.
        roots: a file with the roots to trust, in PEM form.

    Raises:
        OSError: nobody answers, or not with TLS, or the file cannot be read.
    """
    context = trusting(roots)
    try:
        with (
            socket.create_connection((address, port), timeout=SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host) as secure,
        ):
            shown: dict[str, Any] = secure.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        return Certificate(problem=error.verify_message)
    except ssl.SSLError as error:
        if is_refusal(error):
            return Certificate(problem=REFUSED)
        raise
    left = ssl.cert_time_to_seconds(shown["notAfter"]) - time.time()
    return Certificate(issuer=_issuer(shown), days_left=int(left // _DAY))


def is_refusal(error: ssl.SSLError) -> bool:
    """Whether a server ended a handshake itself, as Traefik does for a name that no certificate covers (sniStrict)."""
    return (error.reason or "").startswith(_ALERTS)


def _issuer(shown: dict[str, Any]) -> str:
    """The name of who signed a certificate, of those that `SSLSocket.getpeercert` shows."""
    names = {str(key): str(value) for part in shown["issuer"] for key, value in part}
    return names.get("commonName") or names.get("organizationName") or "somebody without a name"


def trusting(roots: Path) -> ssl.SSLContext:
    """A client's settings that trust the certificates of a file and no other.

    One that is no root is trusted itself, so that a file with a server's own certificate trusts exactly this one.

    Raises:
        OSError: the file cannot be read, or holds no certificate (`ssl.SSLError`).
    """
    context = ssl.create_default_context(cafile=str(roots))
    # From Python 3.13 on the default asks for more of old roots than browsers do.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def wait_until_trusted(
    address: str, port: int, host: str, roots: Path, *, seconds: float, tell: Callable[[str], None]
) -> bool:
    """Wait while a server shows a certificate that is not trusted, such as before an authority has signed one.

    Args:
        address: where to connect.
        port: the port there.
        host: the name that is asked for.
        roots: a file with the roots to trust; may be written anew meanwhile.
        seconds: the longest time to wait.
        tell: told once what is waited for, unless there is nothing to wait for.

    Returns:
        Whether it is trusted; False at once where nobody answers.
    """
    deadline = time.monotonic() + seconds
    told = False
    while True:
        try:
            problem = certificate_of(address, port, host, roots).problem
        except OSError:
            return False
        if not problem:
            return True
        if time.monotonic() >= deadline:
            return False
        if not told:
            tell(f"waiting up to {seconds:.0f} s until the certificate for {host} is signed (now: {problem})")
            told = True
        time.sleep(_PAUSE_SECONDS)
