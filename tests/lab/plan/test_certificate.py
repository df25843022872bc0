"""The token of a certificate: whose it is, who makes it, and when none is made."""

from typing import Any

import pytest

from lab.plan.records import LabPlan, MintPlan, SecretRef
from tests.support.builders import ingress, plan

MINTS = {"names": ["*.lab.example"], "mint-token": "maker"}
TERMINATOR = ingress(audiences={"internet": {"port": 443}}, tls="upstream", trusted_upstreams=["10.10.20.5"])
OBSERVED = {"host": "docker-1", "software": "nginx", "manage": "observe"}


def decided(**sections: Any) -> LabPlan:
    """A lab whose certificate has a token of its own."""
    common: dict[str, Any] = {
        "certificate": MINTS,
        "dns": {"provider": "cloudflare"},
        "tailnet": {},
        "ingress": ingress(),
    }
    return plan(**common | sections)


def secrets(lab: LabPlan) -> set[str]:
    """The names of its secrets."""
    return {secret.name for secret in lab.secrets}


def test_a_minted_token_is_the_environment_s_and_needs_its_credential() -> None:
    """Its name says whose it is; the lab's own token is still needed, for the records."""
    found = decided()
    assert found.certificate is not None
    assert found.certificate.mint == MintPlan(name="homelab/test: DNS-01", maker=SecretRef("maker"))
    assert {"maker", "cloudflare-token"} <= secrets(found)
    assert found.warnings == ()


def test_without_the_key_no_credential_is_asked_for() -> None:
    """Traefik gets the lab's own token."""
    found = decided(certificate={"names": ["*.lab.example"]})
    assert found.certificate is not None
    assert found.certificate.mint is None
    assert "maker" not in secrets(found)


@pytest.mark.parametrize("sections", [{"ingress": TERMINATOR}, {"ingress": OBSERVED}])
def test_no_token_is_minted_for_nobody(sections: dict[str, Any]) -> None:
    """Where no Traefik of the lab asks for a certificate the key is told to go, and its secret not asked for."""
    found = decided(**sections)
    assert found.certificate is not None
    assert found.certificate.mint is None
    assert "maker" not in secrets(found)
    (warning,) = [one for one in found.warnings if one.path == "lab.certificate.mint-token"]
    assert (warning.problem, warning.repair) == (
        "no Traefik of this lab asks for a certificate, so no token is minted",
        "remove mint-token",
    )
