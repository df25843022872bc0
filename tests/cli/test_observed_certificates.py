"""What `lab verify` saw of certificates, as text: who signed them, why one is not trusted, and the last try."""

from dataclasses import replace

from cli.observed import verify_data
from tests.cli.observations import OPEN, REFUSED, ROUTE, seen, told


def test_verified_certificates_are_counted_with_who_signed_them() -> None:
    """By issuer, with the days of the one that ends first."""
    signed = replace(ROUTE, issuer="Pebble", days_left=60)
    text = told(seen(OPEN, routes=(signed, replace(signed, days_left=41), replace(signed, issuer="R3"))))

    assert "  2 certificates verified, chain and name: signed by Pebble, 41 days left" in text
    assert "  1 certificates verified, chain and name: signed by R3, 60 days left" in text
    assert "signed itself" not in text


def test_a_certificate_that_is_not_trusted_is_told_with_its_reason() -> None:
    """The reason once with all its hosts, and where to look when Traefik signed it."""
    bad = replace(ROUTE, ok=False, distrust="self-signed certificate")
    other = replace(bad, host="vault.lab.example", distrust="Hostname mismatch", issuer="an authority")
    observed = seen(OPEN, routes=(bad, replace(bad, audience="tailnet"), other))

    assert observed.wrong == 3
    text = told(observed)
    assert (
        "  WRONG: 2 certificates are not trusted (www.lab.example): self-signed certificate\n    Traefik"
        in text
    )
    assert "  WRONG: 1 certificates are not trusted (vault.lab.example): Hostname mismatch\n" in text
    assert "it is not known whom to trust" not in text


def test_a_certificate_of_a_secret_is_told_as_what_it_is() -> None:
    """It is compared with the secret, so that nothing was learnt of whether visitors trust who signed it."""
    good = replace(ROUTE, issuer="Lab CA", days_left=60)
    old = replace(ROUTE, host="old.lab.example", ok=False, issuer="Lab CA", distrust="unable to get issuer")
    observed = seen(OPEN, routes=(good, old), pinned="own-certificate")

    text = told(observed)
    assert (
        "  1 certificates as in the secret own-certificate, and for the name: signed by Lab CA, 60 days left; "
        "whether visitors trust it is not known here" in text
    )
    assert (
        "  WRONG: 1 certificates are not as in the secret own-certificate, or not good (old.lab.example): unable to"
        in text
    )
    assert "chain" not in text
    assert verify_data(observed)["pinned"] == "own-certificate"


def test_a_renewal_that_failed_is_told_while_the_certificate_is_still_good() -> None:
    """Nothing is wrong yet; the cause, the words and the repair are there before it is."""
    text = told(seen(OPEN, routes=(replace(ROUTE, days_left=20, issuer="R3"),), refusal=REFUSED))
    assert "  The last try to get a certificate failed at 2026-11-26T08:27:52Z: it is\n" in text
    assert "    said: no\n    repair: do\n    next try: soon\n" in text
    assert text.endswith("everything is as expected.")
