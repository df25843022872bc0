"""A wildcard certificate in the hands of the real Traefik: obtained, renewed, and kept when something is wrong.

Traefik renews at its start what ends soon, and what this authority signs always does. So a trouble is played
by starting it again; then what it shows, and says, is looked at.
"""

import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509

from lab.render.traefik import dynamic_configuration, static_configuration
from probe.signing import Refusal, refusal
from tests.ingress.internet import TOKEN, Internet, Trouble, internet
from tests.ingress.minting import mint
from tests.support.backends import shown_certificate
from tests.support.plans import plan_of
from tests.support.traefik import LOCAL, Authority, RealTraefik, Surroundings

pytestmark = pytest.mark.engine
HOST = "www.dev.lab.example"
SECONDS = 40.0
LAB = Path(__file__).resolve().parents[2] / "Pulumi.dev.yaml"


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Internet]:
    """An internet in which everything works."""
    with internet(tmp_path_factory.mktemp("internet")) as there:
        yield there


@dataclass(frozen=True)
class Edge:
    """The dev lab's Traefik, which asks an authority for its certificate."""

    traefik: RealTraefik
    token: Path
    """The file with the token for Cloudflare."""

    @property
    def refusal(self) -> Refusal | None:
        """Why its last try to get a certificate failed, as `lab verify` reads its log."""
        return refusal(self.traefik.log.read_text())

    @property
    def shown(self) -> x509.Certificate | None:
        """What it shows a client that asks for the host, whoever signed it; None where it refuses the name."""
        try:
            return x509.load_der_x509_certificate(shown_certificate(LOCAL, self.traefik.ports["lan"], HOST))
        except (ssl.SSLError, ConnectionResetError):
            return None

    @property
    def signed(self) -> bool:
        """Whether the authority signed what is shown."""
        shown = self.shown
        return shown is not None and "Pebble" in shown.issuer.rfc4514_string()


@pytest.fixture
def edge(tmp_path: Path, outside: Internet) -> Iterator[Edge]:
    """Traefik with the dev lab's files and the right token, not yet started."""
    outside.trouble, outside.lag_seconds = "none", 0.0
    with _edge(tmp_path / "traefik", outside) as one:
        yield one


@contextmanager
def _edge(folder: Path, outside: Internet) -> Iterator[Edge]:
    decided = plan_of(LAB)
    assert decided.ingress is not None
    folder.mkdir()
    token = folder / "token"
    around = Surroundings(
        folder=folder,
        certificates=Authority(outside.directory, outside.trusted, outside.resolver),
        secrets={token.name: TOKEN},
        environment={"CF_DNS_API_TOKEN_FILE": str(token), "CLOUDFLARE_BASE_URL": outside.cloudflare},
    )
    certificate = decided.asked_certificate
    static = static_configuration(decided.ingress, certificate)
    traefik = RealTraefik(static, dynamic_configuration(decided.ingress, certificate), around)
    try:
        yield Edge(traefik, token)
    finally:
        traefik.stop()


def _wait_until(condition: Callable[[], object], what: str, seconds: float = SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.1)


def _first(edge: Edge) -> x509.Certificate:
    """The first certificate, once it is there."""
    edge.traefik.start()
    _wait_until(lambda: edge.signed, f"a certificate for {HOST}")
    shown = edge.shown
    assert shown is not None
    return shown


def _again(edge: Edge) -> None:
    """Start it anew: it loads what it has, and tries to renew it."""
    edge.traefik.stop()
    edge.traefik.start()


def _refused(edge: Edge) -> Refusal:
    """Why it got no certificate, once it has tried."""
    _wait_until(lambda: edge.refusal is not None, "a refusal in the log")
    assert edge.refusal is not None
    return edge.refusal


def test_it_is_renewed_while_it_serves(edge: Edge) -> None:
    """Traefik looks once a minute at what ends soon; the new certificate is shown without a restart."""
    first = _first(edge)
    names = first.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["*.dev.lab.example"]
    _wait_until(lambda: edge.signed and edge.shown != first, "another certificate", 90)
    assert edge.refusal is None


@pytest.mark.parametrize(
    ("trouble", "cause", "said"),
    [
        ("rate-limit", "the authority's rate limit is reached", "too many certificates (5) already issued"),
        ("outage", "the authority or Cloudflare is out of reach", "Service busy; retry later."),
    ],
)
def test_a_trouble_of_the_authority_leaves_the_certificate(
    edge: Edge, outside: Internet, trouble: Trouble, cause: str, said: str
) -> None:
    """The one that is there is shown on; the refusal has the authority's own words, and the next try works."""
    first = _first(edge)
    outside.trouble = trouble
    _again(edge)
    refused = _refused(edge)
    assert refused.cause == cause
    assert said in refused.said
    _wait_until(lambda: edge.shown == first, "the certificate that is there")
    outside.trouble = "none"
    _again(edge)
    _wait_until(lambda: edge.signed and edge.shown != first, "another certificate")
    assert edge.refusal is None


def test_a_revoked_token_leaves_the_certificate(edge: Edge) -> None:
    """Cloudflare refuses the answer to the challenge; the log says so and never repeats the token."""
    first = _first(edge)
    edge.token.write_text("a-token-that-was-revoked")
    _again(edge)
    refused = _refused(edge)
    assert refused.cause == "Cloudflare does not accept the token, or not for writing"
    assert "Invalid access token" in refused.said
    assert "a-token-that-was-revoked" not in edge.traefik.log.read_text()
    _wait_until(lambda: edge.shown == first, "the certificate that is there")


def test_a_slow_name_server_is_waited_for(edge: Edge, outside: Internet) -> None:
    """The authority is asked to look only once the record is seen; nothing fails meanwhile."""
    outside.lag_seconds = 8.0
    _first(edge)
    assert edge.refusal is None


def test_a_token_of_another_zone_gets_no_certificate(tmp_path: Path) -> None:
    """The name is refused, as every name without a certificate is, and the log names the zone that was looked for."""
    with (
        internet(tmp_path / "internet", ("other.example",)) as elsewhere,
        _edge(tmp_path / "traefik", elsewhere) as one,
    ):
        one.traefik.start()
        refused = _refused(one)
        assert refused.cause == "the token's account has no zone for the name"
        assert "lab.example" in refused.said
        assert one.shown is None


def test_a_minted_token_gets_the_wildcard_and_its_successor_renews_it(edge: Edge, outside: Internet) -> None:
    """The token is for this and no more; replaced before it is revoked, the next certificate comes with the new one."""
    with mint(outside) as credential:
        old, value = credential.make("lab.example")
        edge.token.write_text(value)
        first = _first(edge)
        names = first.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == ["*.dev.lab.example"]
        _, value = credential.make("lab.example")
        credential.revoke(old)
        _again(edge)
        assert _refused(edge).cause == "Cloudflare does not accept the token, or not for writing"
        edge.token.write_text(value)
        _again(edge)
        _wait_until(lambda: edge.signed and edge.shown != first, "another certificate")
        assert edge.refusal is None


def test_a_token_minted_for_another_zone_gets_no_certificate(tmp_path: Path) -> None:
    """Both zones are in the account, and the token sees one of them: its rights keep it out, not the account."""
    with (
        internet(tmp_path / "internet", ("lab.example", "other.example")) as there,
        mint(there) as credential,
        _edge(tmp_path / "traefik", there) as one,
    ):
        one.token.write_text(credential.make("other.example")[1])
        one.traefik.start()
        assert _refused(one).cause == "the token's account has no zone for the name"
        assert one.shown is None
