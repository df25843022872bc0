"""Finding a container by what a client calls it."""

from sandbox.docker.simulated.errors import EngineError
from sandbox.docker.simulated.state import Document, EngineState


def need_container(state: EngineState, text: str) -> Document:
    """The container that an id, a unique id prefix or a name means; 404 when there is none."""
    name = state.names.get(text.removeprefix("/"))
    found = state.containers.get(name["id"] if name else text)
    if found is None and text:
        identifiers = {record["id"] for record in state.names.all() if record["id"].startswith(text)}
        found = state.containers.get(identifiers.pop()) if len(identifiers) == 1 else None
    if found is None:
        raise EngineError(404, f"No such container: {text}")
    return found
