"""The refusals of the simulated engine: an HTTP status and the engine's own sentence.

Texts are those of Docker Engine 20.10, as recorded from the real engine. Where the simulation itself
cannot do something it says that it is a simulation, so that no one looks for the fault elsewhere.
"""


class EngineError(Exception):
    """A request that the engine refuses; nothing of the request has happened.

    Args:
        status: HTTP status of the reply.
        message: the sentence that the client gets as `{"message": ...}`.
    """

    def __init__(self, status: int, message: str) -> None:
        """Keep status and sentence."""
        super().__init__(message)
        self.status = status
        self.message = message


def not_simulated(what: str) -> EngineError:
    """The refusal of something that only a real engine can do (status 501)."""
    return EngineError(
        501,
        f"{what} is not answered by the sandbox's simulated engine, in which nothing runs; "
        "run the sandbox as root on Linux to get a real Docker Engine",
    )
