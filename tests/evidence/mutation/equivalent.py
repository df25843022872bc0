"""The mutants that change nothing: a person looked at each and wrote down why."""

from pathlib import Path

EQUIVALENT = Path(__file__).with_name("equivalent.txt")


def reviewed(file: Path = EQUIVALENT) -> dict[str, str]:
    """Their names, each with the reason.

    Raises:
        ValueError: an entry has no reason, or stands there twice.
    """
    entries = file.read_text().strip().split("\n\n")[1:]
    found: dict[str, str] = {}
    for entry in entries:
        name, _, reason = entry.partition("\n    ")
        if not reason.strip() or name in found:
            raise ValueError(
                f"{file.name}: {name} {'stands there twice' if name in found else 'has no reason'}"
            )
        found[name] = " ".join(reason.split())
    return found
