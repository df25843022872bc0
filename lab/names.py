"""The two names of a thing: the engine's, which never changes, and the reader's.

A resource name says what a thing is for (`docker-1-vaultwarden-app`) and never how
it is numbered: no tag, subnet or id is in it, so renumbering updates instead of
replacing. Names of Docker resources begin with their Docker host, because a resource
that only moves from one explicit provider to another is "unchanged" to the engine.
"""

import difflib
import hashlib
import re
from collections.abc import Iterable

INTERFACE_PREFIX = "br-"
_COMMENT = 100
"""The characters of a DNS record's comment on Cloudflare's free plan."""


def join(*parts: str) -> str:
    """A resource name from its parts, left to right from the general to the special."""
    return "-".join(part for part in parts if part)


def interface_name(environment: str, host: str, network: str) -> str:
    """The kernel's name of a Docker network's bridge: `br-` and 8 hex digits.

    Linux allows 15 characters (IFNAMSIZ less its terminator), which no readable name
    of a stack is sure to fit; the digest keeps it fixed and unlike its neighbours'.
    """
    digest = hashlib.sha256(f"{environment}/{host}/{network}".encode()).hexdigest()
    return f"{INTERFACE_PREFIX}{digest[:8]}"


def tailnet_tag(kind: str, name: str, environment: str) -> str:
    """The tag of a machine of a tailnet, which other environments may share: `tag:stack-way-in-dev`.

    Tailscale allows letters, digits and hyphens (https://tailscale.com/kb/1068/tags).
    """
    return "tag:" + re.sub(r"[^a-z0-9-]", "-", join(kind, name, environment).lower())


def environment_variable(prefix: str, name: str) -> str:
    """The environment variable that overrides a named thing, such as `LAB_SECRET_DB_PASSWORD`."""
    return f"{prefix}_{name.upper().replace('-', '_')}"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that a person most likely meant, or None when nothing is near."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return found[0] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A repair for a word that is not known: the nearest one, or the whole list."""
    choices = sorted(known)
    if found := nearest(word, choices):
        return f'write "{found}"'
    if not choices:
        return "remove it, or declare it first"
    return "use one of: " + ", ".join(choices)


def owner_mark(environment: str) -> str:
    """How the comment of a public DNS record begins that this environment created."""
    return f"homelab/{environment}:"


def owned_comment(environment: str, about: str) -> str:
    """The comment of a public DNS record, or the name of an API token: whose it is, and what for.

    Comments are the one thing that marks a record on every plan (tags cost money), and hold 100 characters on the
    free one.
    """
    return f"{owner_mark(environment)} {about}"[:_COMMENT]


def certifies(name: str, host: str) -> bool:
    """Whether a certificate's name covers a host: equal, or a wildcard for exactly one label (RFC 6125, 6.4.3)."""
    if name.startswith("*."):
        label, _, rest = host.partition(".")
        return bool(label) and rest == name[2:]
    return name == host
