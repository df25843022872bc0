"""The life of a container: start, stop, kill, restart, pause. Nothing runs; the states are the real ones.

A started container stays `running` until somebody stops it, has process id 0, and is `healthy` at once
where it has a health check. A failed start leaves the container as it was.
"""

from sandbox.docker.simulated.containers import remove_container
from sandbox.docker.simulated.endpoints import join_networks, leave_networks
from sandbox.docker.simulated.errors import EngineError
from sandbox.docker.simulated.lookup import need_container
from sandbox.docker.simulated.request import Call, Reply, Route
from sandbox.docker.simulated.state import Document, EngineState, now


def _start_container(state: EngineState, container: Document) -> None:
    join_networks(state, container)
    container["State"] |= {
        "Status": "running",
        "Running": True,
        "Paused": False,
        "ExitCode": 0,
        "StartedAt": now(),
    }
    check = container["Config"].get("Healthcheck") or {}
    if check.get("Test") and check["Test"] != ["NONE"]:
        container["State"]["Health"] = {"Status": "healthy", "FailingStreak": 0, "Log": []}
    state.containers.put(container["Id"], container)


def _stop_container(state: EngineState, container: Document, exit_code: int) -> None:
    leave_networks(state, container)
    container["State"] |= {
        "Status": "exited",
        "Running": False,
        "Paused": False,
        "ExitCode": exit_code,
        "FinishedAt": now(),
    }
    container["State"].pop("Health", None)
    if container["HostConfig"].get("AutoRemove"):
        remove_container(state, container, volumes=True)
    else:
        state.containers.put(container["Id"], container)


def _start(call: Call) -> Reply:
    container = need_container(call.state, call.match["id"])
    if container["State"]["Paused"]:
        raise EngineError(409, "cannot start a paused container, try unpause instead")
    if container["State"]["Running"]:
        return Reply(status=304)
    _start_container(call.state, container)
    return Reply(status=204)


def _exit_code(call: Call) -> int:
    # Without time to stop the process gets SIGKILL.
    return 137 if call.query.get("t") == "0" else 0


def _stop(call: Call) -> Reply:
    container = need_container(call.state, call.match["id"])
    if not container["State"]["Running"]:
        return Reply(status=304)
    _stop_container(call.state, container, _exit_code(call))
    return Reply(status=204)


def _kill(call: Call) -> Reply:
    text = call.match["id"]
    container = need_container(call.state, text)
    if not container["State"]["Running"]:
        raise EngineError(409, f"Cannot kill container: {text}: Container {container['Id']} is not running")
    signal = call.query.get("signal", "SIGKILL").upper().removeprefix("SIG")
    if signal in ("KILL", "9"):
        _stop_container(call.state, container, 137)
    elif signal in ("TERM", "15", "INT", "2", "QUIT", "3"):
        _stop_container(call.state, container, 0)
    return Reply(status=204)


def _restart(call: Call) -> Reply:
    container = need_container(call.state, call.match["id"])
    if container["State"]["Running"]:
        leave_networks(call.state, container)
    _start_container(call.state, container)
    return Reply(status=204)


def _pause(call: Call) -> Reply:
    container = need_container(call.state, call.match["id"])
    if not container["State"]["Running"]:
        raise EngineError(409, f"Container {container['Id']} is not running")
    if container["State"]["Paused"]:
        raise EngineError(409, f"Container {call.match['id']} is already paused")
    container["State"] |= {"Status": "paused", "Paused": True}
    call.state.containers.put(container["Id"], container)
    return Reply(status=204)


def _unpause(call: Call) -> Reply:
    container = need_container(call.state, call.match["id"])
    if not container["State"]["Paused"]:
        raise EngineError(500, f"Container {container['Id']} is not paused")
    container["State"] |= {"Status": "running", "Paused": False}
    call.state.containers.put(container["Id"], container)
    return Reply(status=204)


def check_condition(condition: str) -> None:
    """Refuse (400) a condition that `wait` does not know."""
    if condition not in ("", "not-running", "next-exit", "removed"):
        raise EngineError(400, f'invalid condition: "{condition}"')


def waited_reply(container: Document | None, condition: str, *, finished: str) -> Reply | None:
    """The answer of `wait`, or None while the condition does not hold yet.

    Args:
        container: the container as it is now, None once it is removed.
        condition: `not-running` (also when empty), `next-exit` or `removed`.
        finished: `FinishedAt` when the wait began; the next exit changes it.
    """
    if container is None:
        return Reply(document={"Error": None, "StatusCode": 0})
    state = container["State"]
    pending = condition == "next-exit" and state["FinishedAt"] == finished
    if condition == "removed" or pending or state["Running"]:
        return None
    return Reply(document={"Error": None, "StatusCode": state["ExitCode"]})


def routes() -> list[Route]:
    """The routes of this subject."""
    verbs = {
        "start": _start,
        "stop": _stop,
        "kill": _kill,
        "restart": _restart,
        "pause": _pause,
        "unpause": _unpause,
    }
    return [
        Route(method="POST", path=f"/containers/{{id}}/{verb}", handler=handler)
        for verb, handler in verbs.items()
    ]
