"""The file that a guard loads: golden for the labs, and a line for each kind of rule."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from lab.flows import Port
from lab.plan.records import ANYWHERE, GuardPlan, GuardRule, ServicePlan
from lab.render.guard import guard_text
from tests.labs.reading import LABS, lab_file
from tests.support.golden import assert_golden
from tests.support.guard_samples import (
    ARRIVING,
    DB,
    GUARDED,
    LEAVING,
    LOCAL,
    OUT,
    WEB,
    WITHIN,
    guard,
    version,
)
from tests.support.plans import plan_of

ROOT = Path(__file__).resolve().parents[3]


def chain(text: str, name: str) -> list[str]:
    """The lines of a chain."""
    body = re.search(rf"^  chain {re.escape(name)} {{\n(.*?)^  }}$", text, re.DOTALL | re.MULTILINE)
    assert body, name
    return [line.strip() for line in body[1].splitlines()]


def rendered(lab: str, host: str) -> str:
    """The file of a host of a lab."""
    path = ROOT / "Pulumi.dev.yaml" if lab == "dev" else lab_file(lab)
    (found,) = [part for part in plan_of(path).guards if part.host == host]
    return guard_text(found)


@pytest.mark.parametrize(("lab", "host"), GUARDED)
def test_the_guard_is_golden(lab: str, host: str, update_golden: bool) -> None:
    """The file of each host is exactly as it was when somebody last read it."""
    assert_golden(LABS / lab / "expected" / f"guard.{host}.nft", rendered(lab, host), update=update_golden)


@pytest.mark.parametrize("lab", sorted({lab for lab, _ in GUARDED}))
def test_every_guard_of_these_labs_is_golden(lab: str) -> None:
    """A host that is guarded from now on is not forgotten."""
    path = ROOT / "Pulumi.dev.yaml" if lab == "dev" else lab_file(lab)
    assert {part.host for part in plan_of(path).guards} == {host for name, host in GUARDED if name == lab}


@pytest.mark.parametrize(
    ("rule", "where", "line"),
    [
        (
            WITHIN,
            f"from-{WEB}",
            f'oifname "{WEB}" ip saddr 10.128.0.2 ip daddr 10.128.0.3 tcp dport 5432 accept '
            'comment "app needs it"',
        ),
        (
            replace(LEAVING, port=Port(8000, "udp", 8010)),
            f"from-{OUT}",
            "oifname != @bridges ip saddr 10.128.1.2 ip daddr 10.10.30.50 udp dport 8000-8010 accept "
            'comment "app needs it"',
        ),
        (
            replace(LEAVING, destination=ANYWHERE, port=None),
            f"from-{OUT}",
            'oifname != @bridges ip saddr 10.128.1.2 ip daddr != @special accept comment "app needs it"',
        ),
        (
            LOCAL,
            "to-host",
            f'iifname "{OUT}" ip saddr 10.128.1.2 ip daddr 10.10.20.11 tcp dport 5432 accept '
            'comment "app needs it"',
        ),
        (
            ARRIVING,
            "to-container",
            "iifname != @bridges ip saddr 10.10.30.0/24 ct original ip daddr 10.10.20.11 "
            'meta l4proto tcp ct original proto-dst 443 accept comment "audience iot"',
        ),
        (
            replace(ARRIVING, source=ANYWHERE, port=Port(53, "udp", 54)),
            "to-container",
            "iifname != @bridges ip saddr != @special ct original ip daddr 10.10.20.11 "
            'meta l4proto udp ct original proto-dst 53-54 accept comment "audience iot"',
        ),
        (
            replace(ARRIVING, source="", port=None),
            "to-container",
            'iifname != @bridges ct original ip daddr 10.10.20.11 accept comment "audience iot"',
        ),
    ],
)
def test_a_rule_is_a_line(rule: GuardRule, where: str, line: str) -> None:
    """Each kind of rule says from where to where, by which bridge, at which port, and why."""
    text = guard_text(guard(rule))
    assert line in chain(text, where)
    assert text.count("accept comment") == 1


def test_what_no_rule_accepts_is_dropped() -> None:
    """Whatever containers send or are sent ends at a drop, behind what was answered to."""
    text = guard_text(guard(WITHIN, LEAVING, LOCAL, ARRIVING))
    answered = "ct state established,related accept"
    assert chain(text, "forward") == [
        "type filter hook forward priority -5; policy accept;",
        answered,
        "iifname @bridges jump from-container",
        "oifname @bridges jump to-container",
    ]
    assert chain(text, "input") == [
        "type filter hook input priority -5; policy accept;",
        answered,
        "iifname @bridges jump to-host",
    ]
    for name in ("from-container", "to-container", "to-host", "ipv6"):
        assert chain(text, name)[-1] == "drop"


def test_a_bridge_has_a_chain_where_it_has_rules() -> None:
    """Each bridge's packets meet its own rules; a bridge without any is dropped at once."""
    text = guard_text(guard(WITHIN, LEAVING))
    jumps = f'iifname vmap {{ "{WEB}" : jump from-{WEB}, "{OUT}" : jump from-{OUT} }}'
    assert chain(text, "from-container") == ["meta nfproto ipv6 jump ipv6", jumps, "drop"]
    assert f"chain from-{DB}" not in text
    assert f'elements = {{ "{WEB}", "{DB}", "{OUT}" }}' in text
    assert f"  # vnet-web\n  chain from-{WEB} {{" in text


def test_what_a_map_misses_is_dropped() -> None:
    """A packet that is under way while the table is replaced finds the old map empty, and must not pass for it."""
    for lab, host in GUARDED:
        lines = rendered(lab, host).splitlines()
        found = [number for number, line in enumerate(lines) if "vmap" in line]
        assert [lines[number + 1].strip() for number in found] == ["drop"] * len(found)


def test_of_ipv6_only_neighbours_are_found() -> None:
    """Every way asks about IPv6 first, and its rules let neighbour discovery through and nothing else."""
    text = guard_text(guard(WITHIN, LOCAL, ARRIVING))
    for name in ("from-container", "to-container", "to-host"):
        assert chain(text, name)[0] == "meta nfproto ipv6 jump ipv6"
    kinds = "nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert"
    assert chain(text, "ipv6") == [f"icmpv6 type {{ {kinds} }} accept", "drop"]


def test_a_rule_of_a_bridge_that_is_not_guarded_accepts_nothing_else() -> None:
    """A bridge of an observed stack is not in the set, so that its chain is never asked about our own."""
    text = guard_text(guard(replace(WITHIN, interface="br-00000009")))
    assert "  # a network of a stack that is only observed\n  chain from-br-00000009 {" in text
    assert "br-00000009" not in text.partition("elements = {")[2].partition("}")[0]


def test_a_guard_without_rules_or_bridges_is_one() -> None:
    """A host on which nothing is permitted is closed, and one with no bridge of ours is left alone."""
    closed = guard_text(guard())
    assert chain(closed, "from-container") == ["meta nfproto ipv6 jump ipv6", "drop"]
    assert chain(closed, "to-host") == chain(closed, "to-container") == chain(closed, "from-container")
    assert "elements" not in guard_text(guard(bridges={})).partition("set special")[0]


@pytest.mark.parametrize(
    ("because", "comment"),
    [
        ('the "TV"', "the 'TV'"),
        ("two\nlines\r\nand\ta tab", "two lines  and a tab"),
        ("nothing\0hidden", "nothing hidden"),
        ("für die Küche", "für die Küche"),
        ("a" * 200, "a" * 127),
        ("ü" * 64, "ü" * 63),
        ("", ""),
    ],
)
def test_a_reason_is_a_comment_that_nft_reads(because: str, comment: str) -> None:
    """Quotes, line ends and what else has no sign are taken out, and 128 bytes are never exceeded."""
    (line,) = chain(guard_text(guard(replace(WITHIN, because=because))), f"from-{WEB}")
    assert line.endswith(f'accept comment "{comment}"')
    assert len(comment.encode()) < 128


@pytest.mark.parametrize(
    "changed",
    [
        guard(),
        guard(WITHIN, ARRIVING),
        guard(replace(WITHIN, port=Port(5433))),
        guard(replace(WITHIN, port=Port(5432, "udp"))),
        guard(replace(WITHIN, source="10.128.0.4")),
        guard(WITHIN, bridges={WEB: "vnet-web"}),
    ],
)
def test_other_rules_are_another_version(changed: GuardPlan) -> None:
    """A changed rule or bridge changes the version, by which the kernel tells whether it is in force."""
    assert version(guard_text(changed)) != version(guard_text(guard(WITHIN)))


def test_the_same_rules_are_the_same_version() -> None:
    """What loads the rules, and on which host, is no change of them."""
    other = guard(WITHIN, host="docker-2", service=ServicePlan(name="other", image="other"))
    assert version(guard_text(other)) == version(guard_text(guard(WITHIN)))
    assert f"  chain version-{version(guard_text(other))} {{ }}" in guard_text(other)


def test_the_table_is_replaced_in_one_transaction() -> None:
    """The table before goes in the same file in which the new one comes, whether it was there or not."""
    lines = [line for line in guard_text(guard(WITHIN)).splitlines() if not line.startswith("#")]
    assert lines[:3] == ["table inet homelab", "delete table inet homelab", "table inet homelab {"]
    assert guard_text(guard(WITHIN)).endswith("\n}\n")


@pytest.mark.parametrize(
    ("lab", "host", "line"),
    [
        ("dev", "docker-1", 'tcp dport 5432 accept comment "vaultwarden/app needs it"'),
        ("dev", "docker-1", 'ct original proto-dst 443 accept comment "audience lan"'),
        ("dev", "docker-1", 'ip daddr 10.10.20.11 tcp dport 8443 accept comment "audience tailnet"'),
        ("docker-front-back", "docker-srv", 'tcp dport 9090 accept comment "monitoring/grafana needs it"'),
        (
            "docker-front-back",
            "docker-srv",
            'ip daddr 10.40.0.10 tcp dport 8080 accept comment "route vault.',
        ),
        ("per-service-networks", "omakase", 'tcp dport 2375 accept comment "it asks the Docker API there"'),
        ("four-vlans-dmz", "n8n", "ip daddr 192.168.30.10 tcp dport 8123 accept comment "),
    ],
)
def test_what_a_lab_is_about_is_in_its_guard(lab: str, host: str, line: str) -> None:
    """The arrows of a lab's text are lines of its guard, whoever rewrites the golden files."""
    assert line in rendered(lab, host)


@pytest.mark.parametrize(
    "words",
    [
        *("ip daddr 10.128.0.36 tcp dport 5432", 'comment "vaultwarden/db needs it"'),
        *('comment "audience internet"', "tcp dport 22 "),
    ],
)
def test_what_nobody_permitted_in_dev_has_no_line(words: str) -> None:
    """There is no line for what the dev lab does not permit."""
    assert words not in rendered("dev", "docker-1")
