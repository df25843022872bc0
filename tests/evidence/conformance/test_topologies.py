"""The model of Docker networks is what happens, on random topologies and real engines."""

import pytest

from tests.evidence.conformance.lanes import SHARES, Run, chosen_seed, chosen_shares, run_all
from tests.support.needs import need

pytestmark = pytest.mark.engine

FEATURES = (
    *(
        "internal",
        "icc off",
        "inhibited",
        "multi-homed",
        "published",
        "udp",
        "ipv6",
        "canary",
        "host network",
    ),
    *("guard on", "guard off", "proxy off", "bridge netfilter off"),
    *("from the host", "from the segment", "to the segment"),
)


@pytest.fixture(scope="module")
def found() -> Run:
    """One run over all topologies, for all tests of this file."""
    return run_all(chosen_seed(), chosen_shares())


def test_the_model_is_what_happens(found: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Every probe of every topology ends as the model says, over one address and over all of a target's."""
    with capsys.disabled():
        print(f"\n{found.report()}")
    assert not found.wrong, f"{len(found.wrong)} disagreements with seed {found.seed}:\n{found.report()}"


def test_each_feature_was_met_open_and_closed(found: Run) -> None:
    """Of each feature some probes got through and some did not, else agreement about it says nothing."""
    tallies = found.figures.by_tag
    assert {tag for tag in FEATURES if tag not in tallies} == set()
    assert {tag for tag in FEATURES if not 0 < tallies[tag].reached < tallies[tag].asked} == set()


def test_enough_was_probed(found: Run) -> None:
    """A whole run has at least 150 topologies with the userland proxy, and 30 without."""
    need(chosen_shares() == SHARES, "a whole run: HOMELAB_CONFORMANCE_BLOCKS asks for less")
    with_proxy = sum(count for name, count in found.by_share.items() if name != "proxy-off")
    assert with_proxy >= 150
    assert found.by_share["proxy-off"] >= 30
