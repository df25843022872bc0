"""Why no certificate is signed: Traefik's own log, read for the last thing that its authority or Cloudflare said.

Traefik goes on with the certificate that it has, so a renewal that fails is seen nowhere else until that one has ended.
"""

import contextlib
import re
from dataclasses import dataclass

from docker.errors import DockerException

from probe.containers import engine_client

MOST_LINES = 5000
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_FAILED = re.compile(
    r"(?P<when>\S+Z) (?:ERR|INF) (?:(?P<first>Unable to obtain)|Error renewing) ACME certificate.*"
)
"""Traefik 3.7, pkg/provider/acme: an authority out of reach at a renewal is only `INF`."""
_ERROR = re.compile(r'\berror="(?P<said>(?:[^"\\]|\\.)*)"')
_SIGNED = "Server responded with a certificate."
_FIRST = (
    "Traefik tries a first certificate when it starts or its routes change, and not again by itself: "
    "pulumi up --replace \"$(pulumi stack --show-urns | grep -o 'urn:.*:Container::.*-ingress-traefik$')\""
)
_RENEWAL = "Traefik tries again by itself, once a day; the certificate that is there is shown meanwhile"
"""Traefik 3.7, pkg/provider/acme: what has no certificate yet is tried once for each configuration that it is given,
and a ticker renews; its interval is a day for certificates of 90 days."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """The last try that failed."""

    when: str
    """As Traefik has it, in UTC."""
    cause: str
    repair: str
    said: str
    """The words of whoever refused."""
    again: str
    """When the next try is."""


_CAUSES: tuple[tuple[str, str, str], ...] = (
    (
        r"\b(9109|10000|6003|1000)\b: |Invalid access token|Authentication error",
        "Cloudflare does not accept the token, or not for writing",
        "make a new one (Zone Read and DNS Edit for the zone), `pulumi config set --secret cloudflare-token`, "
        "and run `pulumi up`",
    ),
    (
        r"could not find zone|failed to find zone|zone could not be found",
        "the token's account has no zone for the name",
        "write the zone that Cloudflare serves (dns.zone), and a token of its account",
    ),
    (
        r"rateLimited|too many (certificates|failed|requests|new orders)",
        "the authority's rate limit is reached",
        "wait until the time that it names; while something is being tried out, write ca: letsencrypt-staging",
    ),
    (
        r"acme:error:caa|CAA record",
        "a CAA record lets only others sign",
        "see `lab check --online`, and change the record that is not the lab's",
    ),
    (
        r"time limit exceeded|propagation|NXDOMAIN|did not return the expected TXT",
        "the answer to the challenge was not seen in time",
        "look at the zone's name servers: `lab check --online`",
    ),
    (
        r"serverInternal|connection refused|i/o timeout|no such host|context deadline|EOF|\b50[0-9]\b ::",
        "the authority or Cloudflare is out of reach",
        "wait, where it is out of order; else see what closes the ingress' way out (lab explain ingress internet:443)",
    ),
)


def refusal(log: str) -> Refusal | None:
    """The last failure to obtain or to renew; None where there was none, or a certificate was signed after it.

    Args:
        log: what Traefik has said, in its common format.
    """
    found: Refusal | None = None
    for line in _COLOUR.sub("", log).splitlines():
        if _SIGNED in line:
            found = None
        elif (failed := _FAILED.match(line)) is not None:
            said = _ERROR.search(line)
            words = said["said"].replace('\\"', '"') if said else line
            cause, repair = _explained(words)
            again = _FIRST if failed["first"] else _RENEWAL
            found = Refusal(when=failed["when"], cause=cause, repair=repair, said=words, again=again)
    return found


def _explained(words: str) -> tuple[str, str]:
    for pattern, cause, repair in _CAUSES:
        if re.search(pattern, words):
            return cause, repair
    return "no certificate could be signed", "see what was said; `lab check --online` looks at token and zone"


def refusal_at(connection: str, container: str) -> Refusal | None:
    """The same, from the log of a container; None also where the engine does not tell.

    Args:
        connection: where its engine is.
        container: its id.
    """
    with contextlib.suppress(DockerException), contextlib.closing(engine_client(connection)) as client:
        return refusal(client.logs(container, tail=MOST_LINES).decode("utf-8", "replace"))
    return None
