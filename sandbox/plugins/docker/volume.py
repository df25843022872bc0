"""docker:index/volume:Volume. Every property replaces; an existing volume of the name is adopted, officially
too.

Deleting a volume that a container uses is retried for half a minute, because the container may be going away.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sandbox.plugins.docker import labels
from sandbox.plugins.docker.connection import is_missing, reported_as
from sandbox.plugins.properties import names, string
from sandbox.plugins.resource import DeleteFirst, Dialect, Existing, ResourceType
from sandbox.plugins.values import Values, text

if TYPE_CHECKING:
    from docker import APIClient

USED_FOR = 30.0  # seconds that a delete waits for the last container to go
PAUSE = 1.0  # seconds between two tries
CONFLICT = 409  # HTTP: the volume is in use


def _state(found: dict[str, Any]) -> Values:
    return {
        "name": found["Name"],
        "driver": found.get("Driver", ""),
        "driverOpts": dict(found["Options"]) if found.get("Options") else None,
        "labels": labels.from_engine(found.get("Labels")),
        "mountpoint": found.get("Mountpoint", ""),
        "cluster": None,
    }


class VolumeCalls:
    """The requests of a volume."""

    def create(self, client: APIClient, inputs: Values) -> Existing:
        """Create the volume, or adopt the one of that name."""
        name = text(inputs, "name")
        with reported_as("Unable to create volume"):
            client.create_volume(name, labels=labels.to_engine(inputs) or None)
            return Existing(id=name, state=_state(client.inspect_volume(name)))

    def read(self, client: APIClient, id: str, state: Values) -> Existing | None:
        """The volume by its name."""
        with reported_as("Unable to inspect volume"):
            try:
                found = client.inspect_volume(id)
            except Exception as error:
                if is_missing(error):
                    return None
                raise
        return Existing(id=found["Name"], state=_state(found))

    def update(self, client: APIClient, id: str, state: Values, inputs: Values) -> Values:
        """Nothing of a volume changes in place."""
        return {**state, **inputs}

    def delete(self, client: APIClient, id: str, state: Values) -> None:
        """Remove the volume; one that is gone is no error."""
        deadline = time.monotonic() + USED_FOR
        with reported_as("Unable to remove volume"):
            while not self._removed(client, id, last=time.monotonic() >= deadline):
                time.sleep(PAUSE)

    def _removed(self, client: APIClient, name: str, *, last: bool) -> bool:
        from docker.errors import APIError

        try:
            # `remove_volume(force=True)` of the client forgets to send it.
            api: Any = client
            api._raise_for_status(api._delete(api._url("/volumes/{0}", name), params={"force": "1"}))
        except APIError as error:
            if is_missing(error):
                return True
            if error.status_code != CONFLICT or last:
                raise
            return False
        return True


TYPE: ResourceType[APIClient] = ResourceType(
    token="docker:index/volume:Volume",
    dialect=Dialect.SDK2,
    properties=(
        string("name", replace=True, named=True),
        labels.labels(),
        string("driver", replace=True, output=True),
        string("mountpoint", output=True),
    ),
    unsupported=names("cluster driver driverOpts"),
    calls=VolumeCalls(),
    delete_first=DeleteFirst.NAMED,
)
