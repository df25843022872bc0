"""A wildcard certificate in the hands of the real Traefik: obtained, renewed, and kept when something is wrong.

Traefik renews at its start what ends soon, and what this authority signs always does. So a trouble is played
by starting it again; then what it shows, and says, is looked at.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509

from probe.signing import Refusal
from tests.ingress.internet import TOKEN, Internet, Trouble, internet
from tests.ingress.running import Traefik, wait_until
from tests.support.plans import plan_of

pytestmark = pytest.mark.engine
HOST = "www.dev.lab.example"
SECONDS = 40.0
LAB = Path(__file__).resolve().parents[2] / "Pulumi.dev.yaml"


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Internet]:
    """An internet in which everything works."""
    with internet(tmp_path_factory.mktemp("internet")) as there:
        yield there


@pytest.fixture
def traefik(tmp_path: Path, outside: Internet) -> Iterator[Traefik]:
    """Traefik with the dev lab's files and the right token, not yet started."""
    outside.trouble, outside.lag_seconds = "none", 0.0
    with _traefik(tmp_path, outside) as one:
        yield one


@contextmanager
def _traefik(folder: Path, outside: Internet) -> Iterator[Traefik]:
    one = Traefik(folder / "traefik", plan_of(LAB), outside)
    one.token.write_text(TOKEN)
    one.write()
    try:
        yield one
    finally:
        one.stop()


def _signed(traefik: Traefik) -> bool:
    shown = traefik.certificate(HOST)
    return shown is not None and "Pebble" in shown.issuer.rfc4514_string()


def _first(traefik: Traefik) -> x509.Certificate:
    """The first certificate, once it is there."""
    traefik.start()
    wait_until(lambda: _signed(traefik), SECONDS, f"a certificate for {HOST}")
    shown = traefik.certificate(HOST)
    assert shown is not None
    return shown


def _again(traefik: Traefik) -> None:
    """Start it anew: it loads what it has, and tries to renew it."""
    traefik.stop()
    traefik.log_file.unlink()
    traefik.start()


def _refused(traefik: Traefik) -> Refusal:
    """Why it got no certificate, once it has tried."""
    wait_until(lambda: traefik.refusal is not None, SECONDS, "a refusal in the log")
    assert traefik.refusal is not None
    return traefik.refusal


def test_it_is_renewed_while_it_serves(traefik: Traefik) -> None:
    """Traefik looks once a minute at what ends soon; the new certificate is shown without a restart."""
    first = _first(traefik)
    names = first.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["*.dev.lab.example"]
    wait_until(lambda: _signed(traefik) and traefik.certificate(HOST) != first, 90, "another certificate")
    assert traefik.refusal is None


@pytest.mark.parametrize(
    ("trouble", "cause", "said"),
    [
        ("rate-limit", "the authority's rate limit is reached", "too many certificates (5) already issued"),
        ("outage", "the authority or Cloudflare is out of reach", "Service busy; retry later."),
    ],
)
def test_a_trouble_of_the_authority_leaves_the_certificate(
    traefik: Traefik, outside: Internet, trouble: Trouble, cause: str, said: str
) -> None:
    """The one that is there is shown on; the refusal has the authority's own words, and the next try works."""
    first = _first(traefik)
    outside.trouble = trouble
    _again(traefik)
    refused = _refused(traefik)
    assert refused.cause == cause
    assert said in refused.said
    wait_until(lambda: traefik.certificate(HOST) == first, SECONDS, "the certificate that is there")
    outside.trouble = "none"
    _again(traefik)
    wait_until(
        lambda: _signed(traefik) and traefik.certificate(HOST) != first, SECONDS, "another certificate"
    )
    assert traefik.refusal is None


def test_a_revoked_token_leaves_the_certificate(traefik: Traefik) -> None:
    """Cloudflare refuses the answer to the challenge; the log says so and never repeats the token."""
    first = _first(traefik)
    traefik.token.write_text("a-token-that-was-revoked")
    _again(traefik)
    refused = _refused(traefik)
    assert refused.cause == "Cloudflare does not accept the token, or not for writing"
    assert "Invalid access token" in refused.said
    assert "a-token-that-was-revoked" not in traefik.log_file.read_text()
    wait_until(lambda: traefik.certificate(HOST) == first, SECONDS, "the certificate that is there")


def test_a_slow_name_server_is_waited_for(traefik: Traefik, outside: Internet) -> None:
    """The authority is asked to look only once the record is seen; nothing fails meanwhile."""
    outside.lag_seconds = 8.0
    _first(traefik)
    assert traefik.refusal is None


def test_a_token_of_another_zone_gets_no_certificate(tmp_path: Path) -> None:
    """The name is refused, as every name without a certificate is, and the log names the zone that was looked for."""
    with (
        internet(tmp_path / "internet", ("other.example",)) as elsewhere,
        _traefik(tmp_path, elsewhere) as one,
    ):
        one.start()
        refused = _refused(one)
        assert refused.cause == "the token's account has no zone for the name"
        assert "lab.example" in refused.said
        assert one.certificate(HOST) is None
