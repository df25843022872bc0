"""Options of the test run that more than one folder of tests reads."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--update-golden``: write the expected files anew instead of comparing with them."""
    parser.addoption("--update-golden", action="store_true", help="write the expected files anew")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Tell whether expected files are to be written instead of compared."""
    return bool(request.config.getoption("--update-golden"))
