"""The answers of the proof as text, Markdown and data: what is shown, what is counted, and that nothing is lost."""

from pathlib import Path

import pytest

from lab.flows import Endpoint, Port
from lab.isolation import Proof, Verdict, prove
from lab.isolation.queries import Queries
from lab.render.reach.checking import check_page, checked
from lab.render.reach.explanation import explain_page, explanations
from lab.render.reach.loss import losses, ranking_page
from lab.render.reach.markdown import markdown
from lab.render.reach.matrix import pairs_page, reach_data, reach_page
from lab.render.reach.page import Lines, Page, Point, Points, Rows, Title
from lab.render.reach.scope import scope_data, scope_page
from lab.render.reach.selection import between, from_sources, whole_lab
from lab.render.reach.text import text
from lab.render.reach.words import counted, named, port_text, ports_text
from tests.labs.reading import CASES, lab_file
from tests.support.builders import service, stack
from tests.support.golden import assert_golden
from tests.support.plans import plan_of
from tests.support.proofs import open_node, small_lab

ROOT = Path(__file__).resolve().parents[3]
DEV = ROOT / "Pulumi.dev.yaml"
FULL = ROOT / "tests" / "support" / "full_lab.yaml"
EXPECTED = ROOT / "tests" / "labs" / "dev" / "expected"
PAGE: Page = [
    Title("everything", 1),
    Lines(("one sentence", "and *another*")),
    Title("part"),
    Rows(("a", "b"), (("x | y", "1"), ("long", "<2>"))),
    Title("from somebody", 3),
    Rows(("a", "b"), (("1", "2"),), quiet=True),
    Points((Point("first", ("because", "so")), Point("second", (), "accept:\n  - {}"))),
]


def test_text_is_aligned_and_apart() -> None:
    """In text parts are apart by an empty line, tables are aligned, and lists hang."""
    assert text(PAGE).splitlines() == [
        "everything",
        "  one sentence",
        "  and *another*",
        "",
        "part",
        "  a      b",
        "  -----  ---",
        "  x | y  1",
        "  long   <2>",
        "  from somebody",
        "    1  2",
        "  - first",
        "      because",
        "      so",
        "  - second",
        "        accept:",
        "          - {}",
    ]


def test_markdown_is_read_as_it_is_meant() -> None:
    """In Markdown tables have heads, and no sign in a text is taken for an instruction."""
    assert markdown(PAGE).splitlines() == [
        "# everything",
        "",
        "one sentence  ",
        r"and \*another\*",
        "",
        "## part",
        "",
        "| a | b |",
        "| --- | --- |",
        r"| x \| y | 1 |",
        r"| long | \<2\> |",
        "",
        "### from somebody",
        "",
        "| a | b |",
        "| --- | --- |",
        "| 1 | 2 |",
        "",
        "- first",
        "  - because",
        "  - so",
        "- second",
        "",
        "  ```yaml",
        "  accept:",
        "    - {}",
        "  ```",
    ]


def test_words() -> None:
    """Ports are written as a query takes them, undeclared ones last, and many names are counted."""
    assert (port_text(Port(80)), port_text(None)) == ("80/tcp", "other")
    assert (
        ports_text([None, Port(443), Port(80), Port(443), Port(53, "udp")])
        == "53/udp, 80/tcp, 443/tcp, other"
    )
    assert (counted(1, "path"), counted(2, "path")) == ("1 path", "2 paths")
    ends = [Endpoint("guest", name) for name in "aabcde"]
    assert named(ends) == "guest:a, guest:b, guest:c, guest:d and 1 more"


def told(page: Page) -> list[str]:
    """The lines of a page with single spaces."""
    return [" ".join(line.split()) for line in text(page).splitlines()]


@pytest.mark.parametrize("path", [DEV, FULL, *map(lab_file, CASES)], ids=lambda path: str(path.parent.name))
def test_what_is_not_listed_is_counted(path: Path) -> None:
    """Paths that are shown, closed, placed or published are all that there are, so that none is lost unseen."""
    found = prove(plan_of(path))
    short, whole = whole_lab(found, every=False), whole_lab(found, every=True)
    closed = sum(each.answer.verdict is Verdict.no for each in whole.paths)
    assert short.closed == closed
    assert len(short.paths) + short.closed + short.placed + short.published == len(whole.paths)
    assert (whole.closed, whole.placed, whole.published) == (0, 0, 0)


def test_one_source_is_a_part_of_the_whole(dev: Proof) -> None:
    """What one endpoint reaches is what the whole lab says of it, with what could follow if it is taken."""
    source = Endpoint("service", "monitoring/grafana")
    one, whole = from_sources(dev, [source], every=False), whole_lab(dev, every=False)
    assert one.paths == tuple(path for path in whole.paths if path.answer.source == source)
    assert one.pivots is not None
    assert {str(pivot.chain.target) for pivot in one.pivots} == {
        "service:monitoring/cadvisor",
        "service:monitoring/node-exporter",
    }
    assert whole.pivots is None


def test_two_endpoints_are_asked_port_by_port(dev: Proof) -> None:
    """Between two endpoints every port has its line, whatever its verdict, and a pivot is told apart."""
    queries = Queries(dev)
    asked = queries.pairs(queries.source("ingress"), queries.target("service:vaultwarden/db"))
    found = between(dev, asked)
    assert [(port_text(p.answer.port), str(p.answer.verdict)) for p in found.paths] == [
        ("5432/tcp", "no"),
        ("other", "no"),
    ]
    lines = told(pairs_page("x", found))
    assert "Only by taking others first (pivots)" in lines
    assert "ingress service:vaultwarden/db 5432/tcp service:vaultwarden/app" in lines


def test_requests_are_not_packets(dev: Proof) -> None:
    """A web front behind the ingress is closed to packets and told as passed on."""
    queries = Queries(dev)
    asked = queries.pairs(queries.source("tailnet:admins"), queries.target("service:vaultwarden/app:80"))
    found = between(dev, asked)
    assert [str(path.answer.verdict) for path in found.paths] == ["no"]
    (relay,) = reach_data(dev.plan, found)["by_the_ingress"]
    assert (relay["verdict"], relay["through"], relay["host"]) == (
        "yes",
        ["ingress"],
        "vault.dev.lab.example",
    )


def test_sources_that_reach_the_same_are_told_together(dev: Proof) -> None:
    """A row of the matrix holds every source that reaches the same for the same reasons."""
    lines = told(reach_page("x", whole_lab(dev, every=False)))
    assert "from device:tv, vlan:iot" in lines


def test_violations_are_told_apart() -> None:
    """What is open and nobody declared has a part of its own, with the reason."""
    lines = told(reach_page("x", whole_lab(open_node(), every=False)))
    (start,) = [
        place for place, line in enumerate(lines) if line.startswith("Open, and nobody declared it: ")
    ]
    assert any("filters nothing on the way" in line for line in lines[start:])


def test_a_lab_without_paths_says_so() -> None:
    """Where nothing is open, the matrix says that, too."""
    found = from_sources(small_lab(), [Endpoint("service", "blog/app")], every=False)
    assert told(reach_page("x", found))[:3] == ["x", "", "Declared"]
    assert "nothing that is open, or may be" in told(reach_page("x", found))


def explained(found: Proof, source: str, target: str) -> list[str]:
    """The lines of an explanation."""
    queries = Queries(found)
    return told(
        explain_page(explanations(found, queries.pairs(queries.source(source), queries.target(target))))
    )


def test_an_explanation_has_every_leg(dev: Proof) -> None:
    """A path is explained by its permission and every leg of every way, with a mark for each."""
    app, database = "service:vaultwarden/app", "service:vaultwarden/db:5432"
    assert explained(dev, app, database)[:4] == [
        f"{app} → {database}/tcp: yes",
        f"permitted by the flow {app} -> {database}/tcp (needs): vaultwarden/app needs it",
        "",
        "Ways that were considered",
    ]


def test_an_explanation_marks_what_closes(dev: Proof) -> None:
    """Legs that let through, that close, and of which nobody knows have three marks."""
    lines = "\n".join(explained(dev, "vlan:iot", "ingress:443"))
    assert "? the router device:gateway decides between vlan iot and vlan services" in lines
    assert "✗ the guard of docker-1 drops what no rule lets in" in lines
    assert "nobody declared it" in lines


@pytest.mark.parametrize(
    ("target", "line"),
    [
        (
            "service:web/app:9999",
            "nobody declared 9999/tcp, so it is answered like every port that nobody declared",
        ),
        ("service:web/app:other", "other: every port that nobody declared"),
        (
            "guest:docker-1:8443",
            "who answers there is ingress:8443/tcp, for which guest:docker-1 publishes this port",
        ),
    ],
)
def test_an_explanation_says_what_a_port_is(dev: Proof, target: str, line: str) -> None:
    """A port that nobody declared, every other port, and one at which a container answers are told."""
    assert line in explained(dev, "tailnet:admins", target)


def test_a_published_port_is_known(dev: Proof) -> None:
    """A port that a host publishes for a container is not one that nobody declared."""
    assert not any(
        "nobody declared 8443/tcp" in line for line in explained(dev, "vlan:iot", "guest:docker-1:8443")
    )


def test_an_explanation_of_a_violation_says_so() -> None:
    """A path that is open and not permitted is called a violation, one that is accepted by its reason."""
    assert "nobody declared it, so it is a violation" in explained(open_node(), "guest:siem", "device:tv:80")
    accepted = open_node(accept=[{"from": "guest:siem", "to": "device:tv", "because": "old times"}])
    assert "accepted: old times" in explained(accepted, "guest:siem", "device:tv:80")


def test_the_worst_loss_comes_first() -> None:
    """Services are ranked by what follows if they are taken: who is root before who only reaches much."""
    found = small_lab(
        stacks={
            "a": stack(app=service(needs=["db:5432"]), db=service(listens=[5432])),
            "b": stack(agent=service(privileged="yes")),
        },
        ingress=None,
    )
    page = ranking_page("test", losses(found, found.reach.directory.containers))
    rows = [block for block in page if isinstance(block, Rows)]
    assert [row[0] for row in rows[0].rows] == ["service:b/agent", "service:a/app", "service:a/db"]


def test_the_scope_is_short_or_whole(dev: Proof) -> None:
    """Every proof ends with its claim and what it leaves open; what is not modelled is counted or listed."""
    short, whole = told(scope_page(dev.plan, whole=False)), told(scope_page(dev.plan, whole=True))
    data = scope_data(dev.plan)
    assert short[-1] == (
        f"not modelled: {len(data['not_modelled'])} things, which --limits lists; docs/threat-model.md says why"
    )
    assert data["claim"] in short
    assert {f"- {line}" for line in data["not_modelled"]} <= set(whole)
    assert {f"- {line}" for line in data["rests_on"]} <= set(short)
    assert data["rests_on"]


def test_the_matrix_of_the_dev_lab_is_golden(dev: Proof, update_golden: bool) -> None:
    """Who reaches whom in the dev lab reads exactly as it did when somebody last read it."""
    page = reach_page("dev: who reaches whom", whole_lab(dev, every=False))
    assert_golden(
        EXPECTED / "reach.txt", text([*page, *scope_page(dev.plan, whole=False)]), update=update_golden
    )


def test_the_check_of_the_dev_lab_is_golden(dev: Proof, update_golden: bool) -> None:
    """What is unwelcome, promised and put up with in the dev lab reads as it did."""
    page = check_page(checked(dev), DEV.name, "ledger.dev.yaml")
    assert_golden(
        EXPECTED / "check.txt", text([*page, *scope_page(dev.plan, whole=True)]), update=update_golden
    )


@pytest.mark.parametrize(
    ("name", "source", "target"),
    [
        ("need", "service:vaultwarden/app", "service:vaultwarden/db:5432"),
        ("tailnet", "tailnet:admins", "service:vaultwarden/app"),
        ("iot", "vlan:iot", "guest:docker-1"),
    ],
)
def test_explanations_of_the_dev_lab_are_golden(
    dev: Proof, name: str, source: str, target: str, update_golden: bool
) -> None:
    """Three pairs of the dev lab are explained as they were: one that is open, one that is passed on, one in doubt."""
    queries = Queries(dev)
    found = explanations(dev, queries.pairs(queries.source(source), queries.target(target)))
    assert_golden(EXPECTED / f"explain.{name}.txt", text(explain_page(found)), update=update_golden)
