"""Certificates with their keys as an authority hands them out, in PEM form."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID, ObjectIdentifier

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
ORIGIN = "CloudFlare Origin SSL Certificate Authority"
"""The organizational unit by which Cloudflare's Origin CA calls itself."""


@dataclass(frozen=True)
class Pair:
    """What an owner puts into two secrets."""

    certificate: str
    """The certificate and, after it, the authority that signed it."""
    key: str
    root: str
    """The authority."""
    locked: str
    """The same key under a passphrase."""


def pair(
    *names: str,
    authority: str = "The lab's own",
    begins: datetime = NOW,
    days: int = 365,
    order: int = 1,
    curve: ec.EllipticCurve | None = None,
    purposes: Sequence[ObjectIdentifier] = (),
) -> Pair:
    """A pair for some names.

    Args:
        names: DNS names, in the subject alternative name.
        authority: the organizational unit of who signs.
        begins: from when it is good.
        days: for how long.
        order: 1 for the certificate first, -1 for the authority first.
        curve: of its key; None: P-256.
        purposes: what it says that it is for; nothing where there are none.
    """
    signer, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(curve or ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, authority)])
    root = _built(issuer, issuer, signer, begins, days + 1).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    leaf = _built(x509.Name([]), issuer, own, begins, days)
    if names:
        alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        leaf = leaf.add_extension(alternative, critical=True)
    if purposes:
        leaf = leaf.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    chain = [_signed(leaf, signer), _signed(root, signer)]
    return Pair("".join(chain[::order]), _written(own), chain[1], _written(own, "a passphrase"))


def _built(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, begins: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=days))
    )


def _signed(builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> str:
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def _written(key: ec.EllipticCurvePrivateKey, passphrase: str = "") -> str:
    lock = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock).decode()


def shown_names(names: Sequence[str]) -> dict[str, object]:
    """The section `certificate` of a lab file that shows such a pair."""
    return {"names": list(names), "ca": "own", "pair": {"certificate": "own-certificate", "key": "own-key"}}
