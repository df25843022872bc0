"""The real Traefik shows a certificate that was signed elsewhere, and only for the names that it covers."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli import verify
from lab.plan.records import LabPlan
from lab.render.traefik import dynamic_configuration, static_configuration
from probe.certificates import REFUSED, certificate_of
from probe.routes import check_routes
from tests.lab.render.test_traefik import FILES
from tests.support.backends import backends
from tests.support.pairs import ORIGIN, Pair, pair
from tests.support.plans import plan_of
from tests.support.traefik import LOCAL, RealTraefik, Surroundings, running_traefik

pytestmark = pytest.mark.engine

HOST = "www.pair.example"
DAYS = 90


@pytest.fixture(scope="module")
def decided() -> LabPlan:
    """The lab with a pair."""
    return plan_of(FILES["pair"])


@pytest.fixture(scope="module")
def given() -> Pair:
    """What Cloudflare's Origin CA would have handed out a day ago."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    return pair("*.pair.example", authority=ORIGIN, begins=yesterday, days=DAYS)


@pytest.fixture(scope="module")
def traefik(decided: LabPlan, given: Pair, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealTraefik]:
    """Traefik with the lab's files and the pair as its secrets, in front of the one service."""
    ingress = decided.ingress
    assert ingress is not None
    shown = decided.shown_certificate
    [route] = ingress.routes
    with backends() as behind:
        around = Surroundings(
            folder=tmp_path_factory.mktemp("traefik"),
            targets={route.url.removeprefix("http://"): behind.http("web")},
            certificates=None,
            secrets={"origin-certificate": given.certificate, "origin-key": given.key},
        )
        files = static_configuration(ingress, shown), dynamic_configuration(ingress, shown)
        with running_traefik(*files, around) as running:
            assert running.errors() == {}
            yield running


def test_whoever_trusts_its_authority_is_shown_it(traefik: RealTraefik, given: Pair, tmp_path: Path) -> None:
    """Chain and name are right, as Cloudflare's proxy checks them in the mode Full (strict)."""
    roots = tmp_path / "roots.pem"
    roots.write_text(given.root)
    found = certificate_of(LOCAL, traefik.ports["internet"], HOST, roots)
    assert (found.problem, found.days_left) == ("", DAYS - 2)


def test_a_name_that_it_does_not_cover_is_refused(traefik: RealTraefik, given: Pair, tmp_path: Path) -> None:
    """No handshake for another name, so that nobody learns by asking what is served here."""
    roots = tmp_path / "roots.pem"
    roots.write_text(given.root)
    found = certificate_of(LOCAL, traefik.ports["internet"], "www.other.example", roots)
    assert found.problem == REFUSED


@pytest.mark.parametrize("same", [True, False])
def test_verify_trusts_this_one_and_no_other(
    traefik: RealTraefik, decided: LabPlan, given: Pair, same: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`lab verify` trusts the certificate of the secret itself: one that was replaced and is still shown is wrong."""
    secret = given if same else pair("*.pair.example", authority=ORIGIN)
    monkeypatch.setenv("LAB_SECRET_ORIGIN_CERTIFICATE", secret.certificate)
    monkeypatch.setenv("PATH", "")
    assert decided.ingress is not None
    with verify._trusted(decided) as roots:
        [found] = check_routes(decided.ingress, {443: (LOCAL, traefik.ports["internet"])}, frozenset(), roots)
    assert (found.distrust == "") is same
    assert found.days_left == (DAYS - 2 if same else None)
