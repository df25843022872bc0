"""A need that a machine may lack: skipped with its reason on a user's machine, a failure in CI.

`.ci/run` sets `HOMELAB_CI=1`, so that nothing that matters is skipped there unseen.
"""

import os

import pytest


def need(condition: bool, reason: str) -> None:
    """Go on when the condition holds; else skip, or fail where `HOMELAB_CI=1` is set.

    Args:
        condition: whether this machine has what the test needs.
        reason: what is missing, as a sentence that a person can act on.
    """
    if condition:
        return
    if os.environ.get("HOMELAB_CI") == "1":
        pytest.fail(f"needed in CI: {reason}")
    pytest.skip(reason)
