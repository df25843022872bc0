"""Image references: `[registry/]path[:tag][@digest]`, in the engine's short ("familiar") notation.

The grammar is that of the distribution reference format: a first part with a dot, a colon or `localhost`
is a registry, names are lower case, `docker.io/library/` is left out, and a digest makes the tag meaningless.
"""

import re
from dataclasses import dataclass

from sandbox.docker.simulated.errors import EngineError

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_DOMAIN_PART = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = rf"{_DOMAIN_PART}(?:\.{_DOMAIN_PART})*(?::[0-9]+)?"
_REFERENCE = re.compile(
    rf"^(?P<name>(?:{_DOMAIN}/)?{_COMPONENT}(?:/{_COMPONENT})*)"
    r"(?::(?P<tag>[\w][\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?$"
)


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A parsed reference; `name` is familiar (`nginx`, `vaultwarden/server`, `ghcr.io/x/y`)."""

    name: str
    tag: str
    digest: str

    def __str__(self) -> str:
        """The reference in its shortest complete form, as the engine lists it."""
        return f"{self.name}@{self.digest}" if self.digest else f"{self.name}:{self.tag}"


def _familiar(name: str) -> str:
    for prefix in ("docker.io/library/", "docker.io/", "index.docker.io/library/", "index.docker.io/"):
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    return name.removeprefix("library/")


def parse_reference(text: str) -> Reference:
    """Parse a reference; without tag and digest the tag is `latest`.

    Raises:
        EngineError: 400 with the engine's text when it is not a reference.
    """
    match = _REFERENCE.match(text)
    if match is None:
        lower = text.lower() != text and _REFERENCE.match(text.lower().replace(" ", "-")) is not None
        reason = ": repository name must be lowercase" if lower else ""
        raise EngineError(400, f"invalid reference format{reason}")
    return Reference(
        name=_familiar(match["name"]), tag=match["tag"] or "latest", digest=match["digest"] or ""
    )
