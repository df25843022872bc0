"""A certificate that was signed elsewhere, and its key, looked at before anything is created.

Traefik takes a pair that it cannot read, or that is about other names, for no certificate at all: it starts, and every
visitor is refused. So the program reads both secrets first. What is told of them is public (names, dates, who signed);
nothing of the key is.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import pairwise

import pulumi
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from components.secrets import plain
from lab.errors import Issue, LabError
from lab.names import certifies
from lab.plan.records import CertificatePlan, LabPlan

_SOON = timedelta(days=30)
"""As long before its end as Traefik renews what it asks for itself."""
_ORIGIN = "cloudflare origin"
"""In the name of both of Cloudflare's Origin CAs, RSA and ECC (developers.cloudflare.com, Origin CA certificates)."""
_CURVES = ("secp256r1", "secp384r1", "secp521r1")
"""The elliptic curves of TLS 1.3 (RFC 8446, 4.2.3), all of which Go has: Traefik cannot read a key of another."""


class PairProblems(LabError):
    """A certificate and a key that Traefik could not show to a visitor."""

    headline = "the certificate's pair of secrets has"


def refuse_unfit_pair(
    plan: LabPlan, settings: pulumi.Config, environment: Mapping[str, str], now: datetime
) -> None:
    """Stop where the pair of the lab's certificate could not be shown; warn where it ends soon.

    Args:
        plan: the lab, whose secrets are known to be there.
        settings: the stack's configuration.
        environment: the environment of the program.
        now: the time, with its zone.

    Raises:
        PairProblems: with everything that is wrong with it.
    """
    shown = plan.shown_certificate
    if shown is None or shown.pair is None:
        return
    certificate = plain(shown.pair.certificate.name, settings, environment) or ""
    key = plain(shown.pair.key.name, settings, environment) or ""
    if issues := tuple(problems(shown, certificate, key, now)):
        raise PairProblems(issues)
    if (ends := end_of(certificate)) - now < _SOON:
        pulumi.log.warn(
            f"{shown.pair.certificate.name} ends on {ends:%Y-%m-%d}, and nothing renews it: have another one signed, "
            f"and set both secrets"
        )


def end_of(certificate: str) -> datetime:
    """When a certificate in PEM form ends."""
    return x509.load_pem_x509_certificates(certificate.encode())[0].not_valid_after_utc


def problems(plan: CertificatePlan, certificate: str, key: str, now: datetime) -> Iterator[Issue]:
    """Why a pair could not be shown.

    Args:
        plan: which names it has to be for, and who is said to have signed it.
        certificate: the certificate and those of the authorities above it, in PEM form.
        key: its private key, in PEM form.
        now: the time, with its zone.
    """
    assert plan.pair is not None
    where = plan.pair.certificate.name
    public = _public_key(key)
    if isinstance(public, str):
        yield Issue(path=plan.pair.key.name, problem=public, repair=_set(plan.pair.key.name, "PRIVATE KEY"))
    try:
        leaf, *above = x509.load_pem_x509_certificates(certificate.encode())
        certified = _der(leaf.public_key())
    except (ValueError, UnsupportedAlgorithm):
        problem = "it holds no certificate in PEM form"
        yield Issue(path=where, problem=problem, repair=_set(where, "CERTIFICATE"))
        return
    if isinstance(public, bytes) and certified != public:
        yield Issue(
            path=plan.pair.key.name,
            problem=f"it is not the key of {where}: the two belong to different pairs",
            repair="set both secrets anew, from the same pair",
        )
    yield from _names(plan, where, leaf)
    yield from _purpose(where, leaf)
    yield from _dates(where, leaf, now)
    yield from _signer(plan, where, leaf)
    yield from _order(where, [leaf, *above])


def _set(name: str, what: str) -> str:
    return f"`pulumi config set --secret {name} < FILE`, whose text has the line -----BEGIN {what}-----"


def _public_key(key: str) -> bytes | str:
    """The public part of a private key, or why there is none; the key itself is never told."""
    try:
        public = load_pem_private_key(key.encode(), password=None).public_key()
    except TypeError:
        return "it has a passphrase, for which Traefik cannot ask"
    except (ValueError, UnsupportedAlgorithm):
        return "it holds no private key in PEM form"
    on_a_curve = isinstance(public, EllipticCurvePublicKey) and public.curve.name in _CURVES
    if on_a_curve or isinstance(public, RSAPublicKey | Ed25519PublicKey):
        return _der(public)
    return f"TLS has no use for its kind: it takes RSA, Ed25519, or one of the curves {', '.join(_CURVES)}"


def _der(public: PublicKeyTypes) -> bytes:
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _names(plan: CertificatePlan, where: str, leaf: x509.Certificate) -> Iterator[Issue]:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        held = sorted({name.lower() for name in names.get_values_for_type(x509.DNSName)})
    except x509.ExtensionNotFound:
        held = []
    bare = [name for name in plan.names if name not in held and not any(certifies(h, name) for h in held)]
    if bare:
        yield Issue(
            path=where,
            problem=f"it is for {', '.join(held) or 'no name'} and not for {', '.join(bare)}",
            repair="have one signed for all of certificate.names, or write there what this one is for",
        )


def _purpose(where: str, leaf: x509.Certificate) -> Iterator[Issue]:
    """A certificate that names its purposes is good for no other (RFC 5280, 4.2.1.12)."""
    try:
        purposes = set(leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return
    if not purposes & {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}:
        yield Issue(
            path=where,
            problem="it is not for servers: of the purposes that it names (extended key usage) none is serverAuth",
            repair="have one signed for a server",
        )


def _dates(where: str, leaf: x509.Certificate, now: datetime) -> Iterator[Issue]:
    begins, ends = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    if now > ends:
        problem, repair = f"it ended on {ends:%Y-%m-%d}", "have another one signed, and set both secrets"
        yield Issue(path=where, problem=problem, repair=repair)
    if now < begins:
        problem = f"it begins on {begins:%Y-%m-%d %H:%M} UTC, and here it is {now:%Y-%m-%d %H:%M}"
        yield Issue(path=where, problem=problem, repair="set the clock of this machine, or wait")


def _signer(plan: CertificatePlan, where: str, leaf: x509.Certificate) -> Iterator[Issue]:
    issuer = leaf.issuer.rfc4514_string()
    by_origin = _ORIGIN in issuer.lower()
    if by_origin != (plan.ca == "cloudflare-origin"):
        yield Issue(
            path=where,
            problem=f"{issuer} signed it, and certificate.ca says {plan.ca}",
            repair=f"write ca: {'cloudflare-origin' if by_origin else 'own'}: it decides which visitors can trust it",
        )


def _order(where: str, chain: list[x509.Certificate]) -> Iterator[Issue]:
    for number, (signed, signer) in enumerate(pairwise(chain), start=1):
        if not _signed_by(signed, signer):
            yield Issue(
                path=where,
                problem=f"certificate {number + 1} of it is not the one that signed certificate {number}",
                repair="put the certificate first, then the authority that signed it, then the one that signed that",
            )


def _signed_by(signed: x509.Certificate, signer: x509.Certificate) -> bool:
    """By name and signature: an authority that was made anew has its old name and another key."""
    try:
        signed.verify_directly_issued_by(signer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
