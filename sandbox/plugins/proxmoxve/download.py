"""proxmoxve:download/file:File: a file that the node downloads from a URL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sandbox.plugins.properties import boolean, integer, one_of, string
from sandbox.plugins.proxmoxve import rules
from sandbox.plugins.proxmoxve.connection import ApiFailure, Client, path
from sandbox.plugins.resource import CallError, Dialect, Existing, ResourceType
from sandbox.plugins.values import Values, flag, text
from sandbox.plugins.values import integer as whole

_URL = "must match HTTP URL regex `https?://.*`"
_ALGORITHMS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")

PROPERTIES = (
    string(
        "contentType",
        required=True,
        replace=True,
        description="The file content type. Must be `iso` or `import` for VM images or `vztmpl` for LXC"
        " images.",
        rules=(one_of("iso", "vztmpl", "import"),),
    ),
    string(
        "datastoreId", required=True, replace=True, description="The identifier for the target datastore."
    ),
    string("nodeName", required=True, replace=True, description="The node name."),
    string(
        "url",
        required=True,
        replace=True,
        description="The URL to download the file from. Must match regex: `https?://.*`.",
        rules=(rules.framework_pattern(r"^https?://.*", _URL),),
    ),
    string("fileName", replace=True, computed=True),
    string("checksum", replace=True),
    string("checksumAlgorithm", replace=True, rules=(one_of(*_ALGORITHMS),)),
    string("decompressionAlgorithm", replace=True, rules=(one_of("gz", "lzo", "zst", "bz2"),)),
    boolean("overwrite", planned_default=True),
    boolean("overwriteUnmanaged", planned_default=False),
    integer("uploadTimeout", planned_default=600),
    boolean("verify", planned_default=True),
    integer("size", output=True),
)


def _check(name: str, inputs: Values) -> Iterator[str]:
    pair = (
        ("checksum", "checksumAlgorithm", "checksum_algorithm"),
        ("checksumAlgorithm", "checksum", "checksum"),
    )
    for given, needed, upstream in pair:
        if inputs.get(given) is not None and inputs.get(needed) is None:
            own = "checksum" if given == "checksum" else "checksum_algorithm"
            yield (
                f'Invalid Attribute Combination. Attribute "{upstream}" must be specified when "{own}" is'
                f" specified. Examine values at '{name}.{given}'."
            )


def _settings(inputs: Values) -> Values:
    defaults: Values = {"overwrite": True, "overwriteUnmanaged": False, "uploadTimeout": 600, "verify": True}
    return {**defaults, **{key: value for key, value in inputs.items() if value is not None}}


def _volumes(client: Client, state: Values) -> list[dict[str, Any]]:
    here = path("nodes", text(state, "nodeName"), "storage", text(state, "datastoreId"), "content")
    found: list[dict[str, Any]] = client.get(here, content=text(state, "contentType"))
    return found


class FileCalls:
    """The requests of a downloaded file."""

    def create(self, client: Client, inputs: Values) -> Existing:
        """Ask for the file's name and size, download it, and look it up."""
        state = _settings(inputs)
        try:
            if not text(state, "fileName"):
                state["fileName"] = self._metadata(client, state)["filename"]
            else:
                self._metadata(client, state)
            self._download(client, state)
            id = f"{text(state, 'datastoreId')}:{text(state, 'contentType')}/{text(state, 'fileName')}"
            found = self.read(client, id, state, metadata=False)
        except ApiFailure as error:
            raise CallError(f"Error initiating file download: {error}") from None
        if found is None:
            raise CallError("Error when reading file from datastore: file does not exists in datastore")
        return found

    def _metadata(self, client: Client, state: Values) -> dict[str, Any]:
        where = path("nodes", text(state, "nodeName"), "query-url-metadata")
        options = {"url": text(state, "url"), "verify-certificates": flag(state, "verify")}
        found: dict[str, Any] = client.get(where, **options)
        return found

    def _download(self, client: Client, state: Values) -> None:
        node, storage, name = (text(state, key) for key in ("nodeName", "datastoreId", "fileName"))
        here = ("nodes", node, "storage", storage)
        body: dict[str, Any] = {
            "content": text(state, "contentType"), "filename": name, "node": node, "storage": storage,
            "url": text(state, "url"), "verify-certificates": flag(state, "verify"),
        }  # fmt: skip
        optional = (
            ("checksum", "checksum"),
            ("checksumAlgorithm", "checksum-algorithm"),
            ("decompressionAlgorithm", "compression"),
        )
        body |= {key: text(state, prop) for prop, key in optional if text(state, prop)}
        seconds = whole(state, "uploadTimeout")
        try:
            upid = client.post(path(*here, "download-url"), body)
        except ApiFailure as error:
            if "refusing to override existing file" not in error.reason:
                raise
            if not flag(state, "overwriteUnmanaged"):
                raise CallError(
                    "File already exists in the datastore, it was created outside of Terraform or is managed"
                    f" by another resource.: File already exists in the datastore: '{name}', error: error"
                    f" download file by URL: {error}"
                ) from None
            client.wait(
                client.delete(path(*here, "content", f"{text(state, 'contentType')}/{name}")), seconds
            )
            upid = client.post(path(*here, "download-url"), body)
        client.wait(upid, seconds)

    def read(self, client: Client, id: str, state: Values, *, metadata: bool = True) -> Existing | None:
        """The file; imported by `node/datastore:type/name`. With overwrite, the URL is asked for its size."""
        if not state:
            state, id = _from_import_id(id)
        found = next((one for one in _volumes(client, state) if one["volid"] == id), None)
        if found is None:
            return None
        size = int(found["size"])
        if metadata and flag(state, "overwrite") and text(state, "url"):
            offered = int(self._metadata(client, state).get("size", size))
            # The recorded size differs from now on, so that the next diff replaces the file.
            if offered != size:
                return Existing(id=id, state={**state, "size": -1})
        return Existing(id=id, state={**state, "size": size})

    def update(self, client: Client, id: str, state: Values, inputs: Values) -> Values:
        """Only settings of later downloads change in place."""
        found = self.read(
            client, id, {**_settings(inputs), "fileName": state.get("fileName")}, metadata=False
        )
        if found is None:
            raise CallError("Error when reading file from datastore: file does not exists in datastore")
        return found.state

    def delete(self, client: Client, id: str, state: Values) -> None:
        """Remove the file; one that is gone is no error."""
        here = path("nodes", text(state, "nodeName"), "storage", text(state, "datastoreId"), "content", id)
        try:
            client.wait(client.delete(here))
        except (ApiFailure, CallError) as error:
            if "does not exist" not in str(error):
                raise CallError(f"Error deleting datastore file: {error}") from None


def _from_import_id(id: str) -> tuple[Values, str]:
    node, _, volume = id.partition("/")
    storage, _, rest = volume.partition(":")
    kind, _, name = rest.partition("/")
    if not name:
        raise CallError(f"Unexpected Import Identifier: expected node/datastore:type/name, got {id!r}")
    state: Values = {"nodeName": node, "datastoreId": storage, "contentType": kind, "fileName": name}
    return _settings(state), volume


def _changes(state: Values, inputs: Values, changed: frozenset[str]) -> frozenset[str]:
    return changed | {"size"} if state.get("size") == -1 else changed


TYPE: ResourceType[Client] = ResourceType(
    token="proxmoxve:download/file:File",
    dialect=Dialect.FRAMEWORK,
    properties=PROPERTIES,
    calls=FileCalls(),
    check=_check,
    diff=_changes,
)
