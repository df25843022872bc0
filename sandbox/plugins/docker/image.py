"""docker:index/remoteImage:RemoteImage: an image on the engine, pulled only when it is not there.

A moved tag is never pulled again, officially too. The id is the image's id followed by the reference, as the
official plugin forms it. Without `keepLocally` the reference is removed from the engine on delete.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.plugins.docker.connection import engine_text, is_missing, one_error, reported_as
from sandbox.plugins.properties import boolean, names, string
from sandbox.plugins.resource import CallError, Dialect, Existing, ResourceType
from sandbox.plugins.values import Values, flag, text

if TYPE_CHECKING:
    from docker import APIClient


def find(client: APIClient, reference: str) -> dict[str, Any] | None:
    """The image that the engine has under the reference or id, or None."""
    try:
        found: dict[str, Any] = client.inspect_image(reference)
    except Exception as error:
        if is_missing(error):
            return None
        raise
    return found


def find_or_pull(client: APIClient, reference: str) -> dict[str, Any]:
    """The image, pulled when the engine does not have it."""
    found = find(client, reference)
    if found is not None:
        return found
    repository, tag = _split(reference)
    try:
        client.pull(repository, tag=tag)
    except Exception as error:
        said = engine_text(error)
        if said is None:
            raise
        raise CallError(
            f"unable to pull image {reference}: error pulling image {reference}: {said}"
        ) from None
    found = find(client, reference)
    if found is None:
        raise CallError(f"unable to find image {reference} after it was pulled")
    return found


def _split(reference: str) -> tuple[str, str | None]:
    """Repository, and tag or digest; a reference without either gets the tag `latest`, as Docker does it."""
    if "@" in reference:
        repository, _, digest = reference.partition("@")
        return repository, digest
    repository, colon, tag = reference.rpartition(":")
    if colon and "/" not in tag:
        return repository, tag
    return reference, "latest"


def _existing(reference: str, inputs: Values, found: dict[str, Any]) -> Existing:
    digests = [digest for digest in found.get("RepoDigests") or [] if isinstance(digest, str)]
    repository = _split(reference)[0]
    matching = [digest for digest in digests if digest.partition("@")[0].endswith(repository)]
    state: Values = {
        "name": reference,
        "keepLocally": inputs.get("keepLocally"),
        "imageId": found["Id"],
        "repoDigest": (matching or digests or [""])[0],
    }
    return Existing(id=f"{found['Id']}{reference}", state=state)


class ImageCalls:
    """The requests of an image."""

    def create(self, client: APIClient, inputs: Values) -> Existing:
        """Find the image, or pull it."""
        reference = text(inputs, "name")
        if not reference:
            raise CallError(
                one_error("Unable to read Docker image into resource: empty image name is not allowed")
            )
        with reported_as("Unable to read Docker image into resource"):
            try:
                found = find_or_pull(client, reference)
            except CallError as error:
                raise CallError(one_error(f"Unable to read Docker image into resource: {error}")) from None
        return _existing(reference, inputs, found)

    def read(self, client: APIClient, id: str, state: Values) -> Existing | None:
        """The image under the reference of the state; without one (import) nothing is found."""
        reference = text(state, "name")
        if not reference:
            return None
        with reported_as("Unable to read Docker image into resource"):
            found = find(client, reference)
        return None if found is None else _existing(reference, state, found)

    def update(self, client: APIClient, id: str, state: Values, inputs: Values) -> Values:
        """Only `keepLocally` changes in place; the image is looked up again."""
        return self.create(client, inputs).state

    def delete(self, client: APIClient, id: str, state: Values) -> None:
        """Remove the reference from the engine unless it is kept."""
        reference = text(state, "name")
        if flag(state, "keepLocally"):
            return
        with reported_as("Unable to remove Docker image"):
            if find(client, reference) is not None:
                # No booleans, as in `container`: the query is the official client's.
                client.remove_image(reference, force=None, noprune=1)  # type: ignore[arg-type]


TYPE: ResourceType[APIClient] = ResourceType(
    token="docker:index/remoteImage:RemoteImage",
    dialect=Dialect.SDK2,
    properties=(
        string("name", required=True, replace=True),
        boolean("keepLocally"),
        string("imageId", output=True),
        string("repoDigest", output=True),
    ),
    unsupported=names("build forceRemove platform pullTriggers triggers"),
    calls=ImageCalls(),
)
