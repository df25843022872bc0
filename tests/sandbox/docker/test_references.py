"""Image references, read as Docker reads them."""

import pytest

from sandbox.docker.references import parse_reference

DIGEST = "sha256:" + "ab" * 32


@pytest.mark.parametrize(
    ("text", "whole", "tags", "digests"),
    [
        ("nginx", "docker.io/library/nginx:latest", ["nginx:latest"], []),
        ("traefik:v3.7.9", "docker.io/library/traefik:v3.7.9", ["traefik:v3.7.9"], []),
        (
            f"docker.io/vaultwarden/server:1.32.7@{DIGEST}",
            f"docker.io/vaultwarden/server@{DIGEST}",
            [],
            [f"vaultwarden/server@{DIGEST}"],
        ),
        (f"ghcr.io/a/b@{DIGEST}", f"ghcr.io/a/b@{DIGEST}", [], [f"ghcr.io/a/b@{DIGEST}"]),
        ("localhost:5000/x:1", "localhost:5000/x:1", ["localhost:5000/x:1"], []),
    ],
)
def test_reference(text: str, whole: str, tags: list[str], digests: list[str]) -> None:
    """The full name, and what Docker shows as tags and digests, follow from the reference."""
    reference = parse_reference(text)
    assert reference is not None
    assert (str(reference), reference.tags, reference.digests) == (whole, tags, digests)


@pytest.mark.parametrize(
    "text", ["", "Nginx", "a b", "nginx@sha256:12", DIGEST, "ab" * 32, "x:", "nginx:" + "t" * 129]
)
def test_no_reference(text: str) -> None:
    """Image ids and misspelt names are no references."""
    assert parse_reference(text) is None
