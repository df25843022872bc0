"""nftables texts: the commands around a table, lines and comments, and what is refused."""

import pytest

from lab.errors import LabError
from lab.simulate.nftables import UnreadableRules, read_ruleset
from tests.evidence.simulate.nftables_packets import PING, WEB, action
from tests.evidence.simulate.nftables_refusals import BY_NFT_TOO, UNKNOWN, rule, table

REPLACED = rule("drop")


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("", "drop"),
        ("#!/usr/sbin/nft -f\n# a guard\n", "drop"),
        ("table inet homelab\ndelete table inet homelab\n", "drop"),
        ("add table inet homelab; flush table inet homelab\n", "drop"),
        ("destroy table inet homelab\n", "drop"),
        (rule("reject") + "delete table inet homelab\n", "drop"),
        (rule("reject") + "destroy table inet homelab\n", "drop"),
        (rule("reject") + "flush ruleset\n", "drop"),
        (rule("reject").replace("homelab", "first") + "flush table inet first\n", "drop"),
    ],
)
def test_a_text_replaces_what_was_there(before: str, expected: str) -> None:
    """What stands before a table adds it, empties it or removes it, and then the table is as it is written."""
    assert action(before + REPLACED, WEB) == expected


def test_a_flushed_table_keeps_its_policies() -> None:
    """`flush table` removes the rules of chains, and neither chains nor policies."""
    text = table("chain c {", "type filter hook input priority 0; policy drop;", "accept", "}")
    found = read_ruleset(text + "flush table inet homelab\n").verdict("input", WEB)
    assert (found.action, found.rule) == ("drop", "policy drop")


def test_comments_and_continued_lines_keep_their_place() -> None:
    """A `#` inside quotes is text, one outside ends the line, and a backslash continues it."""
    text = rule('tcp dport 22 accept # not "this', "tcp dport \\", '80 drop comment "a # b; { c"', "reject")
    rules = read_ruleset(text)
    found = rules.verdict("input", WEB)
    assert (found.line, found.comment) == (5, "a # b; { c")
    assert rules.verdict("input", PING).line == 7


@pytest.mark.parametrize(("text", "line", "message"), [*BY_NFT_TOO, *UNKNOWN])
def test_what_is_not_known_is_refused_with_its_line(text: str, line: int, message: str) -> None:
    """A text with one construct that nft refuses or the evaluator does not know is not read at all."""
    with pytest.raises(UnreadableRules, match=message) as caught:
        read_ruleset(text)
    assert isinstance(caught.value, LabError)
    assert [issue.path for issue in caught.value.issues] == [f"line {line}"]
    assert all(issue.repair for issue in caught.value.issues)
