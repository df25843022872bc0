"""The plan as text: golden for every lab, and the lines that a reader looks for."""

from pathlib import Path

import pytest

from lab.plan.records import LabPlan
from lab.render.diagram import diagram_svg
from lab.render.picture import picture
from lab.render.report import plan_text
from lab.render.table import table
from tests.labs.reading import CASES, LABS, lab_file
from tests.support.builders import ingress, plan, route, service, stack
from tests.support.golden import assert_golden
from tests.support.plans import plan_of

ROOT = Path(__file__).resolve().parents[3]
DEV = ROOT / "Pulumi.dev.yaml"
FULL = ROOT / "tests" / "support" / "full_lab.yaml"


@pytest.fixture(scope="module")
def dev() -> LabPlan:
    """The plan of the dev lab."""
    return plan_of(DEV)


@pytest.mark.parametrize("case", CASES)
def test_the_plan_of_a_lab_is_golden(case: str, update_golden: bool) -> None:
    """The whole plan of each lab reads exactly as it did when somebody last read it."""
    found = plan_text(plan_of(lab_file(case)))
    assert_golden(LABS / case / "expected" / "plan.txt", found, update=update_golden)


@pytest.mark.parametrize(("name", "path"), [("dev", DEV), ("full", FULL)])
def test_the_plan_of_our_own_labs_is_golden(name: str, path: Path, update_golden: bool) -> None:
    """The dev lab and the lab with every key read exactly as they did when somebody last read them."""
    assert_golden(LABS / name / "expected" / "plan.txt", plan_text(plan_of(path)), update=update_golden)


def lines(text: str) -> list[str]:
    """The lines of a text with single spaces."""
    return [" ".join(line.split()) for line in text.splitlines()]


def test_the_dev_lab_says_what_it_is(dev: LabPlan) -> None:
    """The first line names the environment, its domain and its site."""
    assert lines(plan_text(dev))[0] == "dev (dev.lab.example, site sandbox): the lab that runs on one machine"


@pytest.mark.parametrize(
    "line",
    [
        "services 20 10.10.20.0/24 10.10.20.1 10.10.20.100-200 no guests that run services",
        "vm 201 pve-a services 10.10.20.11 4 8192 MiB os:20G data:100G - the Docker host; runs docker",
        "docker-1 vnet-vaultwarden 10.128.0.16/28",
        "https://vault.dev.lab.example service:vaultwarden/app tailnet none *.dev.lab.example",
        "group:admins may use 10.10.20.11/32 tcp:8443",
        "service:vaultwarden/app service:vaultwarden/db:5432/tcp needs vaultwarden/app needs it",
    ],
)
def test_the_dev_lab_holds(dev: LabPlan, line: str) -> None:
    """Segments, guests, networks, routes, grants and flows are lines of their own."""
    assert [found for found in lines(plan_text(dev)) if line in found]


def test_each_guard_is_a_line() -> None:
    """A host's guard is told by how many networks it is about and how many rules of each kind it has."""
    decided = plan(
        tailnet={},
        ingress=ingress(audiences={"services": {"port": 443}}, slots=1),
        stacks={
            "web": stack(
                app=service(listens=[80], route=route("www", "services"), needs=["db:5432", "internet:443"]),
                db=service(listens=[5432]),
                ui=service(needs=["guest:docker-1:9100"]),
            )
        },
    )
    text = lines(plan_text(decided))
    start = text.index("Guards (what no rule of a Docker host's packet filter accepts is dropped)")
    assert text[start + 1] == "host networks rules within a network out in to the host"
    assert text[start + 3] == "docker-1 5 7 2 3 1 1"


def test_a_lab_without_guards_has_no_such_section() -> None:
    """Where nothing is created on a Docker host, nothing is said of guards."""
    assert "Guards" not in plan_text(plan())


def test_flows_may_be_left_out(dev: LabPlan) -> None:
    """Without flows the text ends before them, and is otherwise the same."""
    whole, short = plan_text(dev), plan_text(dev, flows=False)
    assert "Flows (everything else is denied)" in whole
    assert "Flows" not in short
    assert whole.startswith(short.rstrip())


def test_no_line_ends_in_space() -> None:
    """No line of any lab's plan ends in a space, so that texts can be compared and pasted."""
    for path in (DEV, FULL, *map(lab_file, CASES)):
        assert [line for line in plan_text(plan_of(path)).splitlines() if line != line.rstrip()] == []


def test_warnings_stand_at_the_end() -> None:
    """What is unwelcome is the last thing that is read, with its repair."""
    text = plan_text(plan(stacks={"web": stack(app=service(docker_socket="yes"))}))
    assert text.endswith("      repair: let it ask a proxy: docker-api: {rights: […]}\n")
    assert "\nWarnings\n  - lab.stacks.web.services.app.docker-socket: " in text


def test_the_picture_goes_from_the_outside_in() -> None:
    """The picture begins at the audiences, and hangs every network below the host it is on."""
    decided = plan(
        tailnet={},
        ingress=ingress(slots=2),
        stacks={
            "web": stack(
                app=service(listens=[80], route=route("www"), egress="yes"), db=service(listens=[5432])
            ),
        },
    )
    assert picture(decided) == [
        "tailnet ──► 10.10.20.11:8443 ──► traefik",
        "docker-1 10.10.20.11 in vlan services (20) on pve",
        "├─ traefik (the only way in)",
        "│  ├─ edge-000 10.144.0.0/29 ── web/app",
        "│  └─ 1 edge slots free",
        "└─ web",
        "   ├─ out-web-app 10.128.0.0/29 (has a way out): app",
        "   └─ vnet-web 10.128.0.16/28: app, db",
    ]


def test_the_picture_names_who_brings_the_internet() -> None:
    """A tunnel has no port of the host, a terminator has; the internet itself gets to neither."""
    lines = {
        name: picture(plan_of(lab_file(name)))[0] for name in ("docker-front-back", "per-service-networks")
    }
    assert lines == {
        "docker-front-back": "internet ──► service:tunnel/cloudflared ──► traefik",
        "per-service-networks": "internet ──► device:tls-terminator ──► 192.168.1.100:80 ──► traefik",
    }
    assert "by device:tls-terminator" in diagram_svg(plan_of(lab_file("per-service-networks")))


def test_a_table_is_aligned() -> None:
    """Columns are as wide as their widest cell, below a head and a rule."""
    assert table([("a", "long"), ("longer", "b")], head=("x", "y")) == [
        "  x       y",
        "  ------  ----",
        "  a       long",
        "  longer  b",
    ]
    assert table([], head=("x",)) == []
