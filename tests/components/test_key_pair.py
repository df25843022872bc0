"""A pair of secrets is looked at before anything is created: each thing by which Traefik could not show it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pulumi
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from components.key_pair import PairProblems, problems, refuse_unfit_pair
from lab.plan.records import CertificatePlan, LabPlan, PairPlan, SecretRef
from tests.support.builders import ingress, plan
from tests.support.engine import record
from tests.support.pairs import NOW, ORIGIN, Pair, pair, shown_names

NAME = "*.lab.example"
SHOWN = CertificatePlan(
    names=(NAME, "lab.example"),
    ca="own",
    pair=PairPlan(certificate=SecretRef("own-certificate"), key=SecretRef("own-key")),
)
GOOD = pair(NAME, "lab.example")


def found(given: Pair, shown: CertificatePlan = SHOWN, **changes: Any) -> list[tuple[str, str]]:
    """What is wrong, and with which secret."""
    given = replace(given, **changes)
    return [
        (i.path, i.problem) for i in problems(shown, given.certificate, given.key, NOW + timedelta(days=1))
    ]


def test_a_good_pair_has_no_problem() -> None:
    """A chain in its order, with its own key, for the declared names, and good today."""
    assert found(GOOD) == []
    assert found(pair("*.lab.example", "*.example", "lab.example")) == []
    assert found(pair("*.Lab.Example", "LAB.example")) == []
    both = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    for purposes in (both, [ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]):
        assert found(pair(*SHOWN.names, purposes=purposes)) == []


@pytest.mark.parametrize(
    ("given", "where", "said"),
    [
        (replace(GOOD, key=GOOD.locked), "own-key", "it has a passphrase, for which Traefik cannot ask"),
        (replace(GOOD, key="-----BEGIN"), "own-key", "it holds no private key in PEM form"),
        (replace(GOOD, key=GOOD.certificate), "own-key", "it holds no private key in PEM form"),
        (
            pair(*SHOWN.names, curve=ec.SECP256K1()),
            "own-key",
            "TLS has no use for its kind: it takes RSA, Ed25519, or one of the curves secp256r1, secp384r1, secp521r1",
        ),
        (replace(GOOD, certificate=GOOD.key), "own-certificate", "it holds no certificate in PEM form"),
        (
            replace(GOOD, key=pair(NAME).key),
            "own-key",
            "it is not the key of own-certificate: the two belong to different pairs",
        ),
        (
            pair(*SHOWN.names, purposes=[ExtendedKeyUsageOID.CLIENT_AUTH]),
            "own-certificate",
            "it is not for servers: of the purposes that it names (extended key usage) none is serverAuth",
        ),
        (pair("*.lab.example"), "own-certificate", "it is for *.lab.example and not for lab.example"),
        (pair(), "own-certificate", "it is for no name and not for *.lab.example, lab.example"),
        (
            pair(*SHOWN.names, begins=NOW - timedelta(days=400)),
            "own-certificate",
            "it ended on 2026-04-27",
        ),
        (
            pair(*SHOWN.names, begins=NOW + timedelta(days=2)),
            "own-certificate",
            "it begins on 2026-06-03 12:00 UTC, and here it is 2026-06-02 12:00",
        ),
        (
            pair(*SHOWN.names, authority=ORIGIN),
            "own-certificate",
            f"OU={ORIGIN} signed it, and certificate.ca says own",
        ),
    ],
)
def test_what_could_not_be_shown(given: Pair, where: str, said: str) -> None:
    """Each is said of its secret, in words from which its owner knows what to do."""
    assert found(given) == [(where, said)]


def test_the_order_of_a_chain() -> None:
    """With the authority first a visitor would be shown the authority; the key is then not its either."""
    said = [problem for _, problem in found(pair(*SHOWN.names, order=-1))]
    assert "certificate 2 of it is not the one that signed certificate 1" in said


def test_an_authority_that_was_made_anew() -> None:
    """It has its old name and another key, so that only its signature tells that it did not sign this one."""
    other = replace(GOOD, certificate=GOOD.certificate.replace(GOOD.root, pair(*SHOWN.names).root))
    assert found(other) == [
        ("own-certificate", "certificate 2 of it is not the one that signed certificate 1")
    ]


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(65537, 2048),
        ed25519.Ed25519PrivateKey.generate(),
        ec.generate_private_key(ec.SECP384R1()),
    ],
)
@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_keys_that_tls_has_a_use_for(
    key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey, form: PrivateFormat
) -> None:
    """RSA, Ed25519 and the curves of TLS, in the form of whatever tool: all that is wrong is whose it is."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        form = PrivateFormat.PKCS8  # The older form has no place for it.
    text = key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()
    [(_, problem)] = found(replace(GOOD, key=text))
    assert problem.startswith("it is not the key of own-certificate")


def test_everything_is_said_at_once_and_nothing_of_the_key() -> None:
    """All problems of both secrets, without a line of either."""
    origin = replace(SHOWN, ca="cloudflare-origin")
    given = pair("other.example", begins=NOW - timedelta(days=400))
    issues = [*problems(origin, given.certificate, GOOD.key, NOW)]
    assert len(issues) == 4
    lines = {line for text in (given.certificate, GOOD.key) for line in text.splitlines()[1:-1]}
    assert not [line for line in lines for issue in issues if line in str(issue)]


def lab_with_a_pair() -> LabPlan:
    """A lab that shows a pair."""
    return plan(ingress=ingress(), certificate=shown_names(["*.lab.example"]), tailnet={})


def told(given: Pair, days: int, decided: LabPlan | None = None) -> list[tuple[str, str]]:
    """What a program logs some days after the pair was signed."""
    environment = {"LAB_SECRET_OWN_CERTIFICATE": given.certificate, "LAB_SECRET_OWN_KEY": given.key}

    def program() -> None:
        now = NOW + timedelta(days=days)
        refuse_unfit_pair(decided or lab_with_a_pair(), pulumi.Config("homelab"), environment, now)

    return record(program).log


def test_its_end_is_told_a_month_before() -> None:
    """Nothing renews it, so that its owner has to hear of it while it is still good."""
    assert told(GOOD, 300) == []
    [(level, text)] = told(GOOD, 336)
    assert level == "warning"
    assert text.startswith("own-certificate ends on 2027-06-01, and nothing renews it")


def test_a_program_stops_before_anything_is_created() -> None:
    """The refusal names the secret and how to set it."""
    with pytest.raises(
        PairProblems, match=r"own-key: it has a passphrase.*\n.*pulumi config set --secret own-key"
    ):
        told(replace(GOOD, key=GOOD.locked), 1)


def test_a_lab_that_asks_an_authority_has_no_pair() -> None:
    """Then there are no secrets to look at."""
    asks = plan(ingress=ingress(), certificate={"names": ["*.lab.example"]}, dns={"provider": "cloudflare"})
    assert told(GOOD, 1, asks) == []
