"""How the daemon of a checkout is started, and whether it runs; what one process of it leaves for another."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sandbox.checkout import Checkout, write_atomically
from sandbox.errors import SandboxError


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a daemon is started; kept in `.sandbox/settings.json`.

    Attributes:
        simulated: why network and engines are simulated; None where they are real.
        zones: the apexes of the zones that the Cloudflare account has.
        stand_ins: whether stand-ins run also where a registry would serve the image.
    """

    simulated: str | None
    zones: tuple[str, ...]
    stand_ins: bool = False


@contextmanager
def held_lock(path: Path) -> Iterator[IO[str]]:
    """Hold the daemon's lock; SandboxError when another process of this checkout holds it."""
    with path.open("a") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SandboxError(
                "the sandbox of this checkout already runs; see `python -m sandbox status`"
            ) from None
        yield stream


def is_running(checkout: Checkout) -> bool:
    """Whether a daemon of this checkout lives."""
    if not checkout.lock_file.exists():
        return False
    with checkout.lock_file.open("a") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def read_settings(checkout: Checkout) -> Settings | None:
    """The settings of the last start; None before the first.

    Raises:
        SandboxError: the file is broken, or of a version that wrote it otherwise.
    """
    path = checkout.dir / "settings.json"
    if not path.exists():
        return None
    try:
        document = json.loads(path.read_text())
        return Settings(
            simulated=document["simulated"],
            zones=tuple(document["zones"]),
            stand_ins=document.get("stand_ins", False),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise SandboxError(
            f"{path} does not say how the sandbox was started ({problem!r}); delete it and start the sandbox again, "
            "which writes it anew"
        ) from None


def write_settings(checkout: Checkout, settings: Settings) -> None:
    """Keep the settings for the daemon and for the next start."""
    document = {
        "simulated": settings.simulated,
        "zones": list(settings.zones),
        "stand_ins": settings.stand_ins,
    }
    write_atomically(checkout.dir / "settings.json", json.dumps(document, indent=2) + "\n")
