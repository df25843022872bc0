"""Certificates of a checkout's own authority."""

import ssl
from pathlib import Path

import pytest
from cryptography import x509

from sandbox.certificates import (
    authority_file,
    ensure_certificates,
    ensure_named,
    server_context,
    server_files,
)
from sandbox.checkout import Checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """One that has its authority."""
    own = Checkout(tmp_path)
    ensure_certificates(own)
    return own


def _names(path: Path) -> list[str]:
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return found.get_values_for_type(x509.DNSName)


def test_a_named_certificate_is_kept_until_its_names_change(checkout: Checkout) -> None:
    """Made once, for exactly its names, with a key that only its owner reads."""
    path, key = server_files(checkout, "api")
    ensure_named(checkout, "api", ["api.example", "www.example"])
    first = path.read_bytes()
    ensure_named(checkout, "api", ["api.example", "www.example"])
    assert path.read_bytes() == first
    assert _names(path) == ["api.example", "www.example"]
    assert key.stat().st_mode & 0o077 == 0
    ensure_named(checkout, "api", ["api.example"])
    assert _names(path) == ["api.example"]
    assert isinstance(server_context(checkout, "api"), ssl.SSLContext)


def test_a_new_authority_signs_anew(checkout: Checkout) -> None:
    """What the old one signed is not left behind, because nobody trusts it any more."""
    ensure_named(checkout, "api", ["api.example"])
    authority_file(checkout).unlink()
    ensure_certificates(checkout)
    assert not server_files(checkout, "api")[0].exists()
    assert _names(server_files(checkout)[0]) == ["localhost"]
