"""The checkout's own certificate authority, and the certificate of its HTTPS server.

Its key never leaves `.sandbox/certificates` (mode 0600) and nothing system-wide trusts it: programs of this
checkout find it in a bundle beside the system's authorities.
"""

import datetime
import ipaddress
import os
import ssl
from collections.abc import Sequence
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.checkout import Checkout, write_atomically

AUTHORITY_DAYS = 3650
SERVER_DAYS = 397
RENEW_DAYS = 30
SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
)


def authority_file(checkout: Checkout) -> Path:
    """The certificate to trust, such as with `curl --cacert`."""
    return checkout.certificates_dir / "ca.pem"


def ensure_certificates(checkout: Checkout) -> None:
    """Make what is missing or soon expires: authority, server certificate, and bundle."""
    authority, authority_key = authority_file(checkout), _authority_key(checkout)
    if not _is_current(authority) or not authority_key.exists():
        _write_authority(authority, authority_key, checkout.id)
        for signed_before in set(checkout.certificates_dir.glob("*.pem")) - {authority}:
            signed_before.unlink()
    if not _is_current(server_files(checkout)[0]):
        local = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        _write_server(checkout, "server", local)
    bundle = _system_bundle().read_text().rstrip() + "\n" + authority.read_text()
    if not checkout.ca_bundle.exists() or checkout.ca_bundle.read_text() != bundle:
        write_atomically(checkout.ca_bundle, bundle)


def ensure_named(checkout: Checkout, server: str, names: Sequence[str]) -> None:
    """Make a server's certificate for DNS names, unless there is one that lasts.

    Args:
        checkout: whose authority signs.
        server: a word for the server, as in `server_files`.
        names: all that it is reached by.
    """
    path, wanted = server_files(checkout, server)[0], [x509.DNSName(name) for name in names]
    if not _is_current(path) or list(_names_in(path)) != wanted:
        _write_server(checkout, server, wanted)


def server_files(checkout: Checkout, server: str = "server") -> tuple[Path, Path]:
    """The certificate and the key of a server; without a name, those of the one on 127.0.0.1."""
    folder = checkout.certificates_dir
    return folder / f"{server}.pem", folder / f"{server}.key"


def server_context(checkout: Checkout, server: str = "server") -> ssl.SSLContext:
    """The TLS context of a server; without a name, of the one on 127.0.0.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(*server_files(checkout, server))
    return context


def _authority_key(checkout: Checkout) -> Path:
    return checkout.certificates_dir / "ca.key"


def _system_bundle() -> Path:
    # SSL_CERT_FILE is not asked: in a shell of this checkout it names the bundle that is made here.
    return next((Path(path) for path in SYSTEM_BUNDLES if os.path.exists(path)), Path(certifi.where()))


def _is_current(path: Path) -> bool:
    if not path.exists():
        return False
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    left = certificate.not_valid_after_utc - datetime.datetime.now(datetime.UTC)
    return left > datetime.timedelta(days=RENEW_DAYS)


def _write_authority(path: Path, key_path: Path, checkout_id: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"homelab sandbox {checkout_id}")
    builder = (
        _builder(name, name, AUTHORITY_DAYS)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    _write_key(key_path, key)
    write_atomically(path, _pem(builder.sign(key, hashes.SHA256())))


def _names_in(path: Path) -> x509.SubjectAlternativeName:
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value


def _write_server(checkout: Checkout, server: str, names: Sequence[x509.GeneralName]) -> None:
    authority = x509.load_pem_x509_certificate(authority_file(checkout).read_bytes())
    signer = serialization.load_pem_private_key(_authority_key(checkout).read_bytes(), password=None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        _builder(_name(str(names[0].value)), authority.subject, SERVER_DAYS)
        .public_key(key.public_key())
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    certificate, key_path = server_files(checkout, server)
    _write_key(key_path, key)
    write_atomically(certificate, _pem(builder.sign(signer, hashes.SHA256())))


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(subject: x509.Name, issuer: x509.Name, days: int) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    write_atomically(path, text, mode=0o600)
