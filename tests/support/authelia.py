"""Authelia's own code as the judge of what it would ask of a visitor (`toolchain/access-control`)."""

import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.support.needs import need
from toolchain.resolve import find


def policies(
    files: Iterable[Path], urls: Iterable[str], environment: Mapping[str, str] | None = None
) -> list[str]:
    """What Authelia asks for at each URL.

    Args:
        files: its configuration, of which a later one wins.
        urls: what a visitor wants.
        environment: the variables that it has.

    Raises:
        ValueError: Authelia finds something wrong in its configuration; the text is what it said.
    """
    program = find("access-control")
    need(
        program is not None, "access-control is not built yet; run: python -m toolchain build access-control"
    )
    answer = subprocess.run(
        [str(program), ",".join(map(str, files))],
        input="".join(f"{url}\n" for url in urls),
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        env=dict(environment or {}),
    )
    if answer.returncode != 0:
        raise ValueError(answer.stderr)
    return answer.stdout.splitlines()
