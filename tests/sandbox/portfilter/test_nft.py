"""The rules that are loaded: golden, and read by nft itself."""

from pathlib import Path

import pytest

from sandbox.checkout import cache_dir
from sandbox.errors import SandboxError
from sandbox.fabric.kernel import FabricError, Kernel, missing_rights
from sandbox.guest_tools import guest_tools
from sandbox.portfilter.model import Filters
from sandbox.portfilter.nft import rules_text
from tests.sandbox.portfilter.texts import TEXTS
from tests.support.golden import assert_golden
from tests.support.needs import need

EXPECTED = Path(__file__).parent / "expected"


@pytest.mark.parametrize("name", TEXTS)
def test_the_rules_are_golden(name: str, update_golden: bool) -> None:
    """What a state of the API becomes, for a person to read."""
    assert_golden(EXPECTED / f"{name}.nft", rules_text(TEXTS[name]), update=update_golden)


def test_nothing_is_loaded_while_the_cluster_is_off() -> None:
    """Not even what precedes a guest's rules."""
    assert rules_text(Filters()) == ""


@pytest.mark.engine
def test_nft_takes_all_of_them() -> None:
    """Into a namespace of the test's own, one after the other; a text that it refuses is said in its words."""
    lacking = missing_rights()
    need(lacking is None, f"network namespaces: {lacking}")
    try:
        tools = guest_tools(cache_dir())
    except SandboxError as error:
        need(False, str(error))
        raise
    kernel = Kernel("hl-texts-")
    kernel.add("hl-texts-one")
    try:
        for filters in TEXTS.values():
            kernel.load_rules("hl-texts-one", f"flush ruleset\n{rules_text(filters)}", tools)
        with pytest.raises(FabricError, match="syntax error, unexpected newline"):
            kernel.load_rules("hl-texts-one", "flush\n", tools)
    finally:
        kernel.delete("hl-texts-one")
