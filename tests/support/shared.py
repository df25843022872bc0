"""Official data to test against, kept beside the checkout and never copied into it."""

from pathlib import Path

from tests.support.needs import need

ROOT = Path(__file__).resolve().parents[2]


def shared_path(relative: str) -> Path:
    """The path of a file under `../shared`; skips (or fails in CI) where it is absent.

    Args:
        relative: the path below `shared/`, such as `schemas/pve-apidoc.json`.
    """
    path = ROOT.parent / "shared" / relative
    need(path.exists(), f"{relative} is not beside this checkout (../shared)")
    return path
