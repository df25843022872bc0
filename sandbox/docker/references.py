"""Image references, as Docker reads them: registry, repository, tag, digest.

The rules are those of the distribution project's reference grammar, as far as names in use need them: a first
part with a dot, a colon, or `localhost` is a registry; all else is Docker Hub, where a bare name lives under
`library/`.
"""

import re
from dataclasses import dataclass

HUB = "docker.io"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_PATH = re.compile(r"[a-z0-9]+(?:[._/-]+[a-z0-9]+)*")


@dataclass(frozen=True, kw_only=True)
class ImageReference:
    """One reference to an image.

    Attributes:
        registry: such as `docker.io` or `ghcr.io`.
        path: the repository without its registry, such as `library/nginx`.
        tag: None where only a digest is given; `latest` where neither is.
        digest: `sha256:...` or None.
    """

    registry: str
    path: str
    tag: str | None
    digest: str | None

    @property
    def repository(self) -> str:
        """The name that Docker shows: without `docker.io/` and `library/`."""
        if self.registry != HUB:
            return f"{self.registry}/{self.path}"
        return self.path.removeprefix("library/")

    @property
    def program(self) -> str:
        """The last part of the repository, such as `traefik`."""
        return self.path.rsplit("/", 1)[-1]

    def __str__(self) -> str:
        # A digest alone identifies the image: Docker ignores a tag beside it, and some clients leave it out.
        version = f"@{self.digest}" if self.digest else f":{self.tag}"
        return f"{self.registry}/{self.path}{version}"

    @property
    def tags(self) -> list[str]:
        """What Docker shows as the image's tags: none for an image that was pulled by its digest."""
        return [f"{self.repository}:{self.tag}"] if self.tag and not self.digest else []

    @property
    def digests(self) -> list[str]:
        """What Docker shows as the image's digests in a repository."""
        return [f"{self.repository}@{self.digest}"] if self.digest else []


def parse_reference(text: str) -> ImageReference | None:
    """Read a reference such as `nginx:1.27@sha256:...`; None when it is not one, or is an image id."""
    if re.fullmatch(r"(sha256:)?[0-9a-f]{12,64}", text):
        return None
    rest, at, digest = text.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        return None
    head, slash, tail = rest.partition("/")
    registry = HUB
    if slash and ("." in head or ":" in head or head == "localhost"):
        registry, rest = head, tail
    path, colon, tag = rest.partition(":")
    if not _PATH.fullmatch(path) or (colon and not _TAG.fullmatch(tag)):
        return None
    if registry == HUB and "/" not in path:
        path = f"library/{path}"
    if not tag and not digest:
        tag = "latest"
    return ImageReference(registry=registry, path=path, tag=tag or None, digest=digest or None)
