"""Violations for a person: told together where they exist for one reason, with an entry that may be pasted."""

from typing import Any

import pytest
from ruamel.yaml import YAML

from lab.errors import ConfigError
from lab.flows import Endpoint, Port
from lab.isolation.proof import OpenPath
from lab.isolation.verdict import Answer, Path, yes
from lab.isolation.violations import named, reason_in_words, violation_groups, violation_issues
from tests.support.builders import guest
from tests.support.proofs import open_node


def path(source: str, target: str, port: int | None, reason: str = "it is open") -> OpenPath:
    """A violation."""
    ends = Endpoint.parse(source), Endpoint.parse(target)
    return OpenPath(Answer(*ends, Port(port) if port else None, (Path((yes(reason),)),)), None)


def told(*paths: OpenPath) -> list[tuple[list[str], list[str], list[str], int]]:
    """Groups as sources, targets, ports and how many paths."""
    return [
        (
            sorted(map(str, group.sources)),
            sorted(map(str, group.targets)),
            [str(p or "*") for p in group.ports],
            group.paths,
        )
        for group in violation_groups(paths)
    ]


def test_like_paths_are_one_group() -> None:
    """Sources that reach the same targets at the same ports for one reason are told together."""
    sources, targets = ("guest:a", "guest:b"), ("device:c", "device:d")
    paths = [path(s, t, port) for s in sources for t in targets for port in (80, 443, None)]
    assert told(*paths) == [
        (["guest:a", "guest:b"], ["device:c", "device:d"], ["80/tcp", "443/tcp", "*"], 12)
    ]


def test_a_group_holds_no_path_that_is_not_there() -> None:
    """Every source of a group reaches every target at every port: what would be too wide is told apart."""
    found = told(
        path("guest:a", "device:c", 80), path("guest:b", "device:d", 80), path("guest:a", "device:d", 443)
    )
    assert sorted(found) == [
        (["guest:a"], ["device:c"], ["80/tcp"], 1),
        (["guest:a"], ["device:d"], ["443/tcp"], 1),
        (["guest:b"], ["device:d"], ["80/tcp"], 1),
    ]


def test_an_entry_names_the_ports_that_are_open() -> None:
    """The suggested entry names its ports, and leaves them out only where every other one is open as well."""
    one = violation_groups([path("guest:a", "device:c", 22), path("guest:a", "device:c", 80)])
    every = violation_groups([path("guest:a", "device:c", 22), path("guest:a", "device:c", None)])
    assert one[0].acceptance == '{from: ["guest:a"], to: ["device:c:22/tcp", "device:c:80/tcp"], because: ""}'
    assert every[0].acceptance == '{from: ["guest:a"], to: ["device:c"], because: ""}'


def test_other_reasons_are_other_groups() -> None:
    """Paths that are open for different reasons are not told together, the larger group comes first."""
    found = told(
        path("guest:a", "device:c", 80, "one"),
        path("guest:b", "device:c", 80, "two"),
        path("guest:d", "device:c", 80, "two"),
    )
    assert [(sources, count) for sources, _, _, count in found] == [
        (["guest:b", "guest:d"], 2),
        (["guest:a"], 1),
    ]


def test_a_reason_that_names_its_own_end_is_the_same() -> None:
    """Reasons that differ only in the name of the target are one reason; a single one keeps the name."""
    paths = [
        path("vlan:lan", f"guest:{name}", 22, f"the firewall of guest {name} accepts it") for name in "abc"
    ]
    (group,) = violation_groups(paths)
    assert group.reason == "the firewall of the target accepts it"
    assert violation_groups(paths[:1])[0].reason == "the firewall of guest a accepts it"


def test_names_are_whole_words() -> None:
    """A name that begins like another one's is not taken for it, and a segment keeps its name."""
    answer = path("vlan:lan", "guest:web", 80, "guest web-2 and guest web, from vlan lan").answer
    assert reason_in_words(answer) == "guest web-2 and the target, from vlan lan"


def test_many_names_are_counted() -> None:
    """A sentence names the first few and counts the rest."""
    assert (
        named(tuple(Endpoint("guest", name) for name in "abcdef"))
        == "guest:a, guest:b, guest:c, guest:d and 2 more"
    )
    assert named((Endpoint("guest", "a"),)) == "guest:a"


def pasted(lab: dict[str, Any], reason: str) -> dict[str, Any]:
    """The sections of a lab with every entry that its violations suggest, and a reason filled in."""
    groups = violation_groups(open_node(**lab).violations)
    return {**lab, "accept": [YAML(typ="safe").load(g.acceptance) | {"because": reason} for g in groups]}


@pytest.mark.parametrize(
    "lab",
    [
        {},
        {
            "operator": {"vlan": "iot"},
            "guests": {"docker-1": guest(address=11, runs="docker"), "siem": guest(address=12)},
        },
    ],
)
def test_what_is_pasted_is_accepted(lab: dict[str, Any]) -> None:
    """With the suggested entries and a reason nothing is left, no entry is idle, and the reason is repeated."""
    before = open_node(**lab)
    after = open_node(**pasted(lab, "my reason"))
    assert before.violations
    assert after.violations == ()
    assert list(after.idle_acceptances) == []
    assert {p.permission.because for p in after.accepted if p.permission} == {"my reason"}
    assert len(after.accepted) == len(before.violations)


def test_what_is_pasted_without_a_reason_is_refused() -> None:
    """The suggested entry has no reason, and a lab file with none is refused."""
    with pytest.raises(ConfigError, match="because"):
        open_node(**pasted({}, ""))


def test_problems_name_source_target_and_way_out() -> None:
    """As a problem a group says who reaches whom, why, and the three ways to repair it."""
    issues = violation_issues([path("guest:a", "device:c", None, "the node routes everything")])
    assert [str(issue) for issue in issues] == [
        "isolation: guest:a can reach device:c at every other port, and nobody declared it: "
        "the node routes everything\n"
        "      repair: close it, declare it under flows, or put up with it under accept: "
        '{from: ["guest:a"], to: ["device:c"], because: ""}'
    ]
