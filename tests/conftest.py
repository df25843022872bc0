"""Options of the test run that more than one folder of tests reads."""

import gc
import os

import pytest
from hypothesis import settings

# What collecting makes is kept until the end, so looking for garbage meanwhile is a third of its time for nothing.
gc.disable()

# What is drawn at random is new each time at a desk, where somebody looks; in CI it is always the same.
settings.register_profile("homelab-ci", derandomize=True)
if os.environ.get("HOMELAB_CI") == "1":
    settings.load_profile("homelab-ci")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--update-golden``: write the expected files anew instead of comparing with them."""
    parser.addoption("--update-golden", action="store_true", help="write the expected files anew")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Tell whether expected files are to be written instead of compared."""
    return bool(request.config.getoption("--update-golden"))


def pytest_collection_finish() -> None:
    """Spare the garbage collector what collecting made, mostly modules, and let it look less often.

    A quarter of the time of the unit tests was spent looking for garbage among them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
    gc.enable()
