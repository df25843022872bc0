"""Results, traffic and declared differences: what counts as a difference and what does not."""

from pathlib import Path
from typing import Any

import pytest

from sandbox.conformance.difference import documents, written
from sandbox.conformance.errors import ConformanceError
from sandbox.conformance.request_body import Request, request_of
from sandbox.conformance.results import result_differences
from sandbox.conformance.traffic import traffic_differences
from sandbox.conformance.unnoticed import FILE, Unnoticed, read_rules, unnoticed_of

DIFF: dict[str, Any] = {
    "changes": "DIFF_SOME",
    "diffs": ["a", "b"],
    "replaces": ["a"],
    "delete_before_replace": True,
}
ERROR = {"error": {"code": "UNKNOWN", "message": "no"}}
HALF = {"error": {**ERROR["error"], "init_failed": {"id": "1", "properties": {"a": 1}, "reasons": ["no"]}}}


def kinds(kind: str, theirs: Any, ours: Any) -> list[str]:
    """The kinds of differences between two results of a step."""
    return [one.kind for one in result_differences({"kind": kind}, theirs, ours, lambda path, value: False)]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"changes": "DIFF_NONE"}, "diff: other verdict"),
        ({"diffs": ["a"]}, "diff: other changes"),
        ({"replaces": []}, "diff: updates, theirs replaces"),
        ({"delete_before_replace": False}, "diff: other order of replacement"),
    ],
)
def test_each_part_of_a_diff_counts(change: dict[str, Any], kind: str) -> None:
    """Verdict, changed names, replacement and its order are each a kind of difference."""
    assert kinds("diff", DIFF, {**DIFF, **change}) == [kind]


def test_the_order_of_names_in_a_diff_does_not_count() -> None:
    """Names are a set, and which of them replaces does not matter once one does."""
    assert kinds("diff", DIFF, {**DIFF, "diffs": ["b", "a", "a"], "replaces": ["b"]}) == []


@pytest.mark.parametrize(
    ("theirs", "ours", "expected"),
    [
        (ERROR, {"id": "1"}, ["create: does not fail, theirs does"]),
        ({"id": "1"}, ERROR, ["create: fails, theirs does not"]),
        (HALF, ERROR, ["create: keeps no half-made resource"]),
        (ERROR, HALF, ["create: keeps half-made resource"]),
        (ERROR, {"error": {"code": "UNKNOWN", "message": "never"}}, ["create: other error"]),
        (HALF, HALF, []),
        ({"error": {"code": "UNAVAILABLE", "message": "panic"}}, ERROR, []),
    ],
)
def test_failures_are_compared_with_what_they_leave(theirs: Any, ours: Any, expected: list[str]) -> None:
    """Whether it fails, with which text, and what half-made resource the engine keeps all count."""
    assert kinds("create", theirs, ours) == expected


def test_a_refused_check_is_compared_by_its_reasons() -> None:
    """Reasons come in any order; the inputs of a refused check are not used by anybody."""
    theirs = {"inputs": {"a": 1}, "failures": [{"reason": "x"}, {"reason": "y"}]}
    assert kinds("check", theirs, {"inputs": {}, "failures": [{"reason": "y"}, {"reason": "x"}]}) == []
    assert kinds("check", theirs, {"inputs": {}, "failures": [{"reason": "x"}]}) == ["check: other reasons"]


def test_documents_part_at_paths() -> None:
    """Each place is named as people write paths; true and 1 are different, 1 and 1.0 are not."""
    found = documents("k", {"a": [{"b": 1}], "c": True, "d": 1}, {"a": [{"b": 2}], "c": 1, "d": 1.0})
    assert [(one.field, one.theirs, one.ours) for one in found] == [("a[0].b", 1, 2), ("c", True, 1)]
    assert written(("a", 0, "b", "c")) == "a[0].b.c"


def asked(method: str, path: str, **more: Any) -> dict[str, Any]:
    """A recorded request."""
    return {"method": method, "path": path, "query": {}, "body": None, "status": 200, **more}


def came(*recorded: dict[str, Any]) -> list[Any]:
    """The same requests as a plugin would send them."""
    names = ("method", "path", "query", "body")
    return [(Request(**{name: one[name] for name in names}), one) for one in recorded]


def traffic(theirs: list[dict[str, Any]], ours: list[Any], rules: Unnoticed | None = None) -> list[str]:
    """The kinds of differences in the traffic."""
    return [one.kind for one in traffic_differences(theirs, ours, rules or Unnoticed(()))]


def test_order_number_and_content_of_requests_count() -> None:
    """Another order, a missing and an additional request, another body and query are kinds of differences."""
    one, two = asked("POST", "/a", body={"x": 1}), asked("PUT", "/b", query={"q": "1"})
    assert traffic([one, two], came(one, two)) == []
    assert traffic([one, two], came(two, one)) == ["HTTP: other order"]
    assert traffic([one, two], came(one)) == ["HTTP: request missing"]
    assert traffic([one], came(one, two)) == ["HTTP: request in addition"]
    (changed, _), (other, _) = came({**one, "body": {"x": 2}}, {**two, "query": {}})
    assert traffic([one, two], [(changed, one), (other, two)]) == ["HTTP: other body", "HTTP: other query"]


def test_a_poll_counts_once() -> None:
    """The same question repeated at once is one question; a repeated write is not."""
    get, post = asked("GET", "/task"), asked("POST", "/a")
    assert traffic([get, get, get], came(get)) == []
    assert traffic([post], came(post, post)) == ["HTTP: request in addition"]


def test_every_declared_difference_has_a_reason_and_is_of_a_known_package() -> None:
    """The committed file is read without a complaint, and each reason is a text of some length."""
    rules = read_rules(FILE)
    assert rules
    assert all(len(rule.reason) > 30 for rule in rules)
    assert {rule.package for rule in rules} <= {"", "docker", "cloudflare", "tailscale", "proxmoxve"}


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[[rule]", "cannot be read"),
        ("rules = 1", "cannot be read"),
        ('[[rule]]\nabout = "weather"', "rule 1: about = 'weather'"),
        ('[[rule]]\nabout = "path"\npattern = "a"', "has no reason"),
        ('[[rule]]\nabout = "extra"\nreason = "r"\nwithout = ["null"]', "extra has no without"),
    ],
)
def test_a_wrong_declaration_is_refused(text: str, part: str, tmp_path: Path) -> None:
    """A rule without reason, of an unknown kind or with a field that it cannot have is an error."""
    file = tmp_path / "rules.toml"
    file.write_text(text)
    with pytest.raises(ConformanceError, match=part):
        read_rules(file)


def test_declared_differences_are_dropped_and_others_are_not(tmp_path: Path) -> None:
    """Members, rewritten paths and permitted requests vanish for their own package and request only."""
    file = tmp_path / "rules.toml"
    file.write_text(
        '[[rule]]\nabout = "body"\nmethod = "POST"\npath = "^/a"\nwithout = ["false"]\nreason = "r"\n'
        '[[rule]]\nabout = "extra"\nmethod = "GET"\npath = "^/v"\nreason = "r"\npackage = "docker"\n'
    )
    rules = unnoticed_of("docker", file)
    one = asked("POST", "/a", body={"x": False, "y": 0})
    (changed, _), (version, _) = came({**one, "body": {"y": 0}}, asked("GET", "/version"))
    assert traffic([one], [(changed, one), (version, None)], rules) == []
    assert traffic([one], [(changed, one), (version, None)], unnoticed_of("other", file)) == [
        "HTTP: request in addition"
    ]
    (less, _), *_ = came({**one, "body": {"x": False}})
    assert traffic([one], [(less, one)], rules) == ["HTTP: other body"]


def test_requests_are_kept_in_the_form_of_recordings() -> None:
    """Query and form become objects with lists for repeated keys, JSON is parsed, HuJSON stays text."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    request = request_of("POST", "/a%2Fb?x=1&x=2&y=", b"p=1&p=2&q=3", form)
    assert (request.path, request.query) == ("/a%2Fb", {"x": ["1", "2"], "y": ""})
    assert request.body == {"p": ["1", "2"], "q": "3"}
    assert request_of("POST", "/", b'{"a": 1}', {"Content-Type": "application/json"}).body == {"a": 1}
    assert request_of("POST", "/", b"{} // x", {"Content-Type": "application/hujson"}).body == "{} // x"
    assert request_of("GET", "/", b"", {}).body is None
