"""What counts as a clear refusal by name, and how the runner finds out about it."""

from typing import Any

from sandbox.conformance.refusal import Refusals, given, refused_by_name

TYPE = "docker:index/network:Network"


def asked(inputs: dict[str, Any]) -> dict[str, Any]:
    """A Check that refuses `ipv6` anywhere, and says that `name` is missing where it is."""
    reasons = ["The property ipv6 of it is not supported by this."] if "ipv6" in str(inputs) else []
    reasons += [] if "name" in inputs else ["name is missing"]
    return {"inputs": inputs, "failures": [{"property": "", "reason": reason} for reason in reasons]}


def test_a_refusal_names_what_it_refuses() -> None:
    """The words of a refusal alone are none: a name of the inputs must be in them, and theirs must not say it."""
    text = "The property ipv6 is not supported by the sandbox."
    answer = {"inputs": {}, "failures": [{"property": "", "reason": text}]}
    assert refused_by_name(answer, {"ipv6"})
    assert not refused_by_name(answer, {"labels"})
    assert not refused_by_name(answer, {"ipv6"}, (text,))
    assert not refused_by_name({"error": {"message": "ipv6 is bad"}}, {"ipv6"})


def test_defaults_are_not_given() -> None:
    """What a Check filled in is not sent back to it, at any depth."""
    assert given({"a": 1, "b": 2, "__defaults": ["b"], "c": [{"d": 1, "__defaults": ["d"]}]}) == {
        "a": 1,
        "c": [{}],
    }


def test_a_missing_output_is_explained_by_a_refused_input() -> None:
    """A value that only theirs has does not count where Check refuses that property; any other does."""
    refusals = Refusals(TYPE, asked)
    assert refusals.of_place(("ipv6",), False)
    assert refusals.of_place(("pools", 0, "ipv6"), True)
    assert not refusals.of_place(("scope",), "local")
    assert not refusals.of_place((), {})


def test_a_question_is_asked_once() -> None:
    """The plugin is not asked again about the same inputs."""
    questions = []

    def counted(inputs: dict[str, Any]) -> dict[str, Any]:
        questions.append(inputs)
        return asked(inputs)

    refusals = Refusals(TYPE, counted)
    assert [refusals.of_inputs({"name": "a", "ipv6": True}) for _ in range(3)] == [True, True, True]
    assert len(questions) == 1
