"""The file of roots that are trusted."""

import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sandbox.acme import roots
from sandbox.acme.roots import remember
from sandbox.certificates import authority_file, ensure_certificates
from sandbox.checkout import Checkout


def _root(folder: Path) -> bytes:
    """The root of somebody else."""
    checkout = Checkout(folder)
    ensure_certificates(checkout)
    return authority_file(checkout).read_bytes()


def _kept(path: Path) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(path.read_bytes())


def test_earlier_roots_stay_trusted(tmp_path: Path) -> None:
    """The newest comes first, and one that is known is there once."""
    one, other, path = _root(tmp_path / "one"), _root(tmp_path / "other"), tmp_path / "roots.pem"
    for root in (one, other, other, one):
        remember(path, root)
    assert _kept(path) == [x509.load_pem_x509_certificate(root) for root in (one, other)]


def test_only_certificates_are_kept(tmp_path: Path) -> None:
    """A key that comes along is left out, and something else is refused."""
    path, folder = tmp_path / "roots.pem", tmp_path / "one"
    root = _root(folder)
    remember(path, root + Checkout(folder).certificates_dir.joinpath("ca.key").read_bytes())
    assert b"PRIVATE" not in path.read_bytes()
    with pytest.raises(ValueError, match="PEM"):
        remember(path, b"nothing")


def test_the_oldest_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkout that lives for years does not trust without end."""
    monkeypatch.setattr(roots, "MOST", 2)
    made, path = [_root(tmp_path / name) for name in "abc"], tmp_path / "roots.pem"
    for root in made:
        remember(path, root)
    assert _kept(path) == [x509.load_pem_x509_certificate(root) for root in made[:0:-1]]


def test_an_expired_root_goes(tmp_path: Path) -> None:
    """Nothing that it signed is valid any more."""
    path = tmp_path / "roots.pem"
    remember(path, _expired())
    assert path.read_text() == ""


def _expired() -> bytes:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=2))
        .not_valid_after(now - datetime.timedelta(days=1))
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
