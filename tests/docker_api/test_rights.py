"""The table of rights: real calls only, no root among what is granted, and each call in one right."""

import pytest

from lab.docker_api import HANDSHAKE, RIGHTS, ROOT, Right, calls_of, root_calls
from tests.docker_api.calls import documented

DOCUMENTED = frozenset(documented())


def test_the_table_is_whole() -> None:
    """The published descriptions name more than a hundred calls, those of every part of the API among them."""
    assert len(DOCUMENTED) > 100
    assert len(DOCUMENTED) == len(documented())
    assert {"containers", "images", "networks", "volumes", "exec", "swarm", "plugins", "session"} <= {
        call.path.split("/")[1] for call in DOCUMENTED
    }


@pytest.mark.parametrize("right", RIGHTS)
def test_a_right_is_made_of_documented_calls(right: Right) -> None:
    """No right lets through what the engine does not document."""
    assert set(RIGHTS[right].calls) <= DOCUMENTED
    assert RIGHTS[right].calls


def test_the_handshake_and_root_are_documented() -> None:
    """So are the calls of every client, and those that are root."""
    assert set(HANDSHAKE) | set(ROOT) <= DOCUMENTED


def test_a_call_belongs_to_one_right() -> None:
    """A call stands in one right, so that leaving that right out closes it."""
    calls = [call for right in RIGHTS.values() for call in right.calls]
    assert len(calls) == len(set(calls))
    assert not set(calls) & set(HANDSHAKE)


def test_what_is_not_root_only_reads() -> None:
    """A right without a call that is root changes nothing on the host: it asks by GET and HEAD alone."""
    reading = [right for right in RIGHTS if not root_calls([right])]
    assert {call.method for call in calls_of(reading)} == {"GET", "HEAD"}
    assert {right for right in RIGHTS if root_calls([right])} == {
        "write", "exec", "create", "build", "plugins", "swarm",
    }  # fmt: skip


def test_every_way_to_root_is_in_some_right() -> None:
    """A call that is root is refused under the name of a right, or it could not be told from one that nobody knows."""
    assert set(ROOT) <= {call for right in RIGHTS.values() for call in right.calls}
