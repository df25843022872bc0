"""Traefik's log, read for why no certificate was signed. What the real one writes is seen in tests/ingress."""

import pytest

from probe.signing import refusal

FAILED = (
    "\x1b[90m2026-11-26T08:27:52Z\x1b[0m \x1b[31mERR\x1b[0m \x1b[1mError renewing ACME certificate: {*.a.example []}"
    '\x1b[0m \x1b[36merror=\x1b[0m\x1b[31m\x1b[1m"%s"\x1b[0m\x1b[0m \x1b[36mproviderName=\x1b[0mletsencrypt.acme\n'
)
SIGNED = "2026-11-26T08:28:00Z INF Server responded with a certificate. domains=*.a.example lib=lego\n"


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (
            "cloudflare: [status code 403] 9109: Invalid access token",
            "Cloudflare does not accept the token, or not",
        ),
        ('cloudflare: could not find zone for domain \\"a.example\\"', "the token's account has no zone"),
        (
            "acme: error: 429 :: urn:ietf:params:acme:error:rateLimited :: too many",
            "the authority's rate limit",
        ),
        (
            "urn:ietf:params:acme:error:caa :: CAA record for a.example prevents issuance",
            "a CAA record lets only",
        ),
        (
            "propagation: time limit exceeded: last error: NS a.ns. did not return",
            "the answer to the challenge was",
        ),
        ("dial tcp 172.65.32.248:443: i/o timeout", "the authority or Cloudflare is out of reach"),
        ("something new", "no certificate could be signed"),
    ],
)
def test_the_cause_follows_from_what_was_said(said: str, cause: str) -> None:
    """Each has a repair, and the words themselves are kept."""
    found = refusal(FAILED % said)
    assert found is not None
    assert found.cause.startswith(cause)
    assert (found.when, found.said) == ("2026-11-26T08:27:52Z", said.replace('\\"', '"'))
    assert found.repair


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Error renewing ACME certificate: {*.a.example []}", "Traefik tries again by itself"),
        ("Unable to obtain ACME certificate for domains", "not again by itself: pulumi up --replace"),
    ],
)
def test_the_next_try_depends_on_whether_there_is_a_certificate(message: str, said: str) -> None:
    """Traefik renews by a clock, and asks for a first one only when it is given a configuration."""
    found = refusal(f'2026-11-26T08:27:52Z ERR {message} error="rateLimited" domains=["*.a.example"]\n')
    assert found is not None
    assert said in found.again
    assert found.cause == "the authority's rate limit is reached"


def test_only_the_last_try_counts() -> None:
    """A certificate that was signed afterwards settles it; a failure after that one does not."""
    old, new = FAILED % "i/o timeout", FAILED % "rateLimited"
    assert refusal(old + SIGNED) is None
    assert refusal("") is None
    found = refusal(old + SIGNED + new)
    assert found is not None
    assert found.said == "rateLimited"


def test_a_line_that_only_speaks_of_certificates_is_none() -> None:
    """Traefik says much about them."""
    assert refusal("2026-11-26T08:27:44Z INF Testing certificate renew... acmeCA=https://a\n") is None
