"""Which recorded answer a request gets."""

from typing import Any

from sandbox.conformance.request_body import Request
from sandbox.conformance.script import Script


def recorded(method: str, path: str, response: str, **more: Any) -> dict[str, Any]:
    """A recorded request."""
    return {"method": method, "path": path, "status": 200, "response": response, **more}


def ask(script: Script, method: str, path: str, **query: Any) -> str | None:
    """What a request is answered with."""
    found = script.recorded(Request(method=method, path=path, query=query, body=None))
    return None if found is None else found["response"]


def test_each_answer_is_given_once_and_the_last_again() -> None:
    """A question asked twice as often as recorded gets the last answer again, a write gets none."""
    script = Script()
    script.expect(
        [recorded("GET", "/a", "1"), recorded("GET", "/a", "2"), recorded("POST", "/a", "made")], [], []
    )
    assert [ask(script, "GET", "/a") for _ in range(3)] == ["1", "2", "2"]
    assert [ask(script, "POST", "/a") for _ in range(2)] == ["made", None]


def test_a_question_sees_the_writes_that_came() -> None:
    """Asked after a write, a question gets the answer that was recorded after it, though one is left before."""
    script = Script()
    script.expect(
        [recorded("GET", "/a", "old"), recorded("PUT", "/a", ""), recorded("GET", "/a", "new")], [], []
    )
    ask(script, "PUT", "/a")
    assert ask(script, "GET", "/a") == "new"


def test_the_query_decides_between_equal_paths() -> None:
    """Of two recorded questions, the one with the same query answers."""
    script = Script()
    script.expect(
        [recorded("GET", "/a", "x", query={"page": "1"}), recorded("GET", "/a", "y", query={"page": "2"})],
        [],
        [],
    )
    assert ask(script, "GET", "/a", page="2") == "y"


def test_other_steps_answer_what_this_one_does_not_have() -> None:
    """Before a write the step before answers, after it the step after; a write is never taken from elsewhere."""
    script = Script()
    before, after = [recorded("GET", "/a", "before")], [recorded("GET", "/a", "after")]
    script.expect([recorded("POST", "/b", "")], before, after)
    assert ask(script, "GET", "/a") == "before"
    ask(script, "POST", "/b")
    assert ask(script, "GET", "/a") == "after"
    script.expect([], [recorded("POST", "/b", "")], [])
    assert ask(script, "POST", "/b") is None


def test_what_came_is_kept_in_order_with_its_recorded_request() -> None:
    """A request that the step does not have is kept without one, even if another step answers it."""
    script = Script()
    script.expect([recorded("GET", "/a", "1")], [recorded("GET", "/b", "2")], [])
    ask(script, "GET", "/b")
    ask(script, "GET", "/a")
    assert [(request.path, found is not None) for request, found in script.came] == [
        ("/b", False),
        ("/a", True),
    ]
