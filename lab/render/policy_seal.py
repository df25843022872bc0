"""The seal of a policy: its first line says which lab wrote it, and the digest of what follows.

A policy is edited in more places than one, and the program must not undo what it has not
shown. A state file would tell what was deployed last, but not after an update that was
killed between the write and the record. The seal is written with the policy itself: a text
whose seal fits is one that this lab wrote and nobody touched, whatever became of the
update. White space and trailing commas do not count, since the service may format.
"""

import difflib
import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any, Literal

_FINGERPRINT = 16
"""Hex digits: a slip is noticed, and nobody forges a seal who may write the policy anyway."""
_SEAL = re.compile(r"\A\s*// homelab (?P<environment>\S+) (?P<digest>[0-9a-f]{16}): [^\n]*\n")
_PRISTINE: dict[str, Any] = {
    "grants": [{"src": ["*"], "dst": ["*"], "ip": ["*"]}],
    "acls": [{"action": "accept", "src": ["*"], "dst": ["*:*"]}],
    "ssh": [
        {
            "action": "check",
            "src": ["autogroup:member"],
            "dst": ["autogroup:self"],
            "users": ["autogroup:nonroot", "root"],
        }
    ],
    "nodeAttrs": [{"target": ["autogroup:member"], "attr": ["funnel"]}],
}
"""What the policy of a new tailnet may hold: everything is permitted, in the older or newer form of rules
(https://tailscale.com/kb/1192/acl-samples). The service itself decides when it is first replaced (`ts-default`)."""

Origin = Literal["own", "pristine", "foreign"]


@dataclass(frozen=True, kw_only=True)
class CurrentPolicy:
    """The policy that is in force at the service."""

    text: str
    """As it was written, comments included."""
    document: str
    """The same as plain JSON."""


def fingerprint(text: str) -> str:
    """The digest of a policy's text, white space and trailing commas aside."""
    kept = re.sub(r",(?=[\]}])", "", re.sub(r"\s+", "", text))
    return hashlib.sha256(kept.encode()).hexdigest()[:_FINGERPRINT]


def sealed(text: str, environment: str) -> str:
    """A policy with its seal."""
    return f"// homelab {environment} {fingerprint(text)}: generated, edit the lab file instead\n{text}"


def origin(current: CurrentPolicy, environment: str) -> Origin:
    """Whose policy is in force: this lab's as it wrote it, the one of a new tailnet, or somebody else's."""
    if (seal := _SEAL.match(current.text)) is not None:
        whole = seal["digest"] == fingerprint(current.text[seal.end() :])
        return "own" if whole and seal["environment"] == environment else "foreign"
    document = json.loads(current.document)
    untouched = all(value in (_PRISTINE.get(name), [], {}) for name, value in document.items())
    open_to_all = bool(document.get("grants") or document.get("acls"))
    return "pristine" if untouched and open_to_all else "foreign"


def writer(current: CurrentPolicy, environment: str) -> str:
    """Who is to blame for a policy that is not this lab's, as a person would say it."""
    seal = _SEAL.match(current.text)
    if seal is None:
        return "somebody else wrote it"
    if seal["environment"] != environment:
        return f"environment {seal['environment']} wrote it"
    return "this lab wrote it, and it was edited since"


def difference(current: CurrentPolicy, wanted: str) -> list[str]:
    """What would be done to a policy, as a unified diff: of documents, or of texts where only comments differ."""
    theirs, ours = _lines(current.document), _lines(wanted.partition("\n")[2])
    if theirs == ours:
        theirs, ours = current.text.splitlines(), wanted.splitlines()
    return list(difflib.unified_diff(theirs, ours, "in force at Tailscale", "of this lab", lineterm="", n=2))


def _lines(document: str) -> list[str]:
    return json.dumps(json.loads(document), indent=2, ensure_ascii=False).splitlines()
