"""What the plan expects of every pair of containers."""

from pathlib import Path

import pytest

from lab.flows import Endpoint
from lab.plan import load_plan
from lab.plan.records import LabPlan
from probe.expected import Pair, pairs, spots

DEV = Path(__file__).parents[2] / "Pulumi.dev.yaml"


@pytest.fixture(scope="module")
def plan() -> LabPlan:
    """The dev lab."""
    return load_plan(DEV)


def _pair(plan: LabPlan, source: str, target: str) -> Pair:
    return next(p for p in pairs(plan) if str(p.source) == source and str(p.target) == target)


def test_every_ordered_pair_and_port_is_asked(plan: LabPlan) -> None:
    """No pair is left out, and nobody is asked about itself."""
    everyone = spots(plan)
    expected = {
        (str(a.endpoint), f"{b.endpoint}:{port}")
        for a in everyone
        for b in everyone
        if a != b
        for port in b.ports
    }

    assert expected == {(str(p.source), str(p.target)) for p in pairs(plan)}
    assert len(everyone) == 12


def test_a_need_is_declared_with_its_reason(plan: LabPlan) -> None:
    """Vaultwarden needs its database."""
    pair = _pair(plan, "service:vaultwarden/app", "service:vaultwarden/db:5432/tcp")

    assert (pair.expected, pair.because) == ("declared", "vaultwarden/app needs it")


def test_the_way_back_is_not_declared(plan: LabPlan) -> None:
    """The database does not need the application; only their network lets them meet."""
    assert _pair(plan, "service:vaultwarden/db", "service:vaultwarden/app:80/tcp").expected == "same network"


def test_two_stacks_have_nothing_in_common(plan: LabPlan) -> None:
    """A service of one stack never reaches a database of another."""
    pair = _pair(plan, "service:web/app", "service:vaultwarden/db:5432/tcp")

    assert pair.expected == "none"
    assert pair.addresses == ("10.128.0.19",)


def test_the_ingress_reaches_fronts_only(plan: LabPlan) -> None:
    """Traefik may open connections to routed services and to nothing behind them."""
    from_ingress = [p for p in pairs(plan) if p.source == Endpoint("ingress")]

    assert {str(p.target) for p in from_ingress if p.expected == "declared"} == {
        "service:monitoring/grafana:3000/tcp",
        "service:monitoring/prometheus-ui:8080/tcp",
        "service:vaultwarden/app:80/tcp",
        "service:web/app:80/tcp",
    }
    assert {p.expected for p in from_ingress} == {"declared", "none"}
