"""What is made of the certificate that a real server shows."""

import ssl
from pathlib import Path

import pytest

from probe.certificates import certificate_of, wait_until_trusted
from sandbox.certificates import (
    SERVER_DAYS,
    authority_file,
    ensure_certificates,
    ensure_named,
    server_context,
)
from sandbox.checkout import Checkout
from tests.support.tls import tls_server

HERE, HOST = "127.0.0.1", "www.lab.example"


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """Somebody with an authority and a certificate for every name right below the domain."""
    own = Checkout(tmp_path / "own")
    ensure_certificates(own)
    ensure_named(own, "wildcard", ["*.lab.example"])
    return own


@pytest.fixture
def context(checkout: Checkout) -> ssl.SSLContext:
    """The settings of a server that has this certificate."""
    return server_context(checkout, "wildcard")


def test_a_right_certificate_has_an_issuer_and_days_left(checkout: Checkout, context: ssl.SSLContext) -> None:
    """Chain and name fit, so that there is no problem."""
    with tls_server(context) as port:
        found = certificate_of(HERE, port, HOST, authority_file(checkout))
    assert (found.issuer, found.problem) == (f"homelab sandbox {checkout.id}", "")
    assert found.days_left == SERVER_DAYS - 1


def test_a_stranger_is_not_trusted(tmp_path: Path, context: ssl.SSLContext) -> None:
    """A certificate of another authority has the reason that OpenSSL gives, and nothing that could be believed."""
    other = Checkout(tmp_path / "other")
    ensure_certificates(other)
    with tls_server(context) as port:
        found = certificate_of(HERE, port, HOST, authority_file(other))
    assert "unable to get local issuer certificate" in found.problem
    assert (found.issuer, found.days_left) == ("", None)


def test_a_certificate_for_another_name_is_a_problem(checkout: Checkout, context: ssl.SSLContext) -> None:
    """A wildcard stands for one label."""
    with tls_server(context) as port:
        found = certificate_of(HERE, port, "a.b.lab.example", authority_file(checkout))
    assert "a.b.lab.example" in found.problem


def test_nobody_there_is_no_certificate(checkout: Checkout, context: ssl.SSLContext) -> None:
    """That is for the caller to tell, and nothing to wait for."""
    with tls_server(context) as port:
        pass
    with pytest.raises(OSError, match="refused"):
        certificate_of(HERE, port, HOST, authority_file(checkout))
    told: list[str] = []
    assert not wait_until_trusted(HERE, port, HOST, authority_file(checkout), seconds=30, tell=told.append)
    assert told == []


def test_what_is_there_is_not_waited_for(checkout: Checkout, context: ssl.SSLContext) -> None:
    """Nothing is said either."""
    told: list[str] = []
    with tls_server(context) as port:
        assert wait_until_trusted(HERE, port, HOST, authority_file(checkout), seconds=0, tell=told.append)
    assert told == []


def test_what_is_waited_for_is_said_once(tmp_path: Path, checkout: Checkout, context: ssl.SSLContext) -> None:
    """The certificate that is there becomes trusted while somebody waits; without that the wait has an end."""
    other = Checkout(tmp_path / "other")
    ensure_certificates(other)
    roots = tmp_path / "roots.pem"
    roots.write_text(authority_file(other).read_text())
    told: list[str] = []

    def tell(line: str) -> None:
        told.append(line)
        roots.write_text(authority_file(checkout).read_text())

    with tls_server(context) as port:
        assert not wait_until_trusted(HERE, port, HOST, roots, seconds=0, tell=tell)
        assert wait_until_trusted(HERE, port, HOST, roots, seconds=20, tell=tell)
    assert len(told) == 1
    assert told[0].startswith(f"waiting up to 20 s until the certificate for {HOST} is signed")
