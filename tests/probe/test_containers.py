"""Finding the containers of a lab on its Docker hosts."""

import pytest

from probe.containers import EngineUnreachable, running_containers


@pytest.mark.parametrize("connection", ["ssh://10.10.20.11", "tcp://10.10.20.11:2376"])
def test_containers_of_another_machine_are_not_probed_here(connection: str) -> None:
    """A process id of another machine names a stranger here, so the probe refuses and says where to run."""
    with pytest.raises(
        EngineUnreachable, match="Run `lab verify` on docker-1 itself, with LAB_CONNECTION_DOCKER_1="
    ):
        running_containers("docker-1", connection)


def test_an_engine_that_does_not_answer_is_named() -> None:
    """The host, the address and the repair are in the message."""
    with pytest.raises(
        EngineUnreachable, match=r"docker-1 does not answer at unix:///nowhere\.sock.*`make up` starts it"
    ):
        running_containers("docker-1", "unix:///nowhere.sock")
