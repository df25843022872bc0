"""The packet filter tables of a network namespace, asked from outside of it."""

import os
import subprocess
from pathlib import Path

from sandbox.checkout import cache_dir
from sandbox.guest_tools import guest_tools


def nft(namespace: Path | None, *words: str) -> str:
    """What `nft` prints about a namespace; about the machine's own where there is none.

    Args:
        namespace: its file.
        words: the command; one that fails is an error.
    """
    tools = guest_tools(cache_dir())
    enter = ["nsenter", f"--net={namespace}"] if namespace else []
    environment = {"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": str(tools.libraries)}
    done = subprocess.run(
        [*enter, str(tools.nft), *words], capture_output=True, text=True, env=environment, check=True
    )
    return done.stdout


def tables(namespace: Path | None) -> list[str]:
    """The `inet` tables of a namespace; Docker makes none of these."""
    lines = nft(namespace, "list", "tables", "inet").splitlines()
    return [line.removeprefix("table inet ") for line in lines]
