"""Write `calls.tsv`: every call that the published descriptions of the Engine API name.

    go mod download github.com/moby/moby/api@v1.56.1
    python -m tests.docker_api.generate "$(go env GOMODCACHE)/github.com/moby/moby/api@v1.56.1"

The module holds the description of each version as `docs/v*.yaml`. A call is noted with the
first version (of those read, 1.40 is the oldest) and the last that name it.
"""

import re
import sys
from pathlib import Path

from ruamel.yaml import YAML

HERE = Path(__file__).resolve().parent
OLDEST = (1, 40)
METHODS = ("get", "head", "post", "put", "delete", "patch", "options")

Version = tuple[int, int]


def described(folder: Path) -> dict[Version, set[tuple[str, str]]]:
    """The calls of each version from 1.40 on."""
    found: dict[Version, set[tuple[str, str]]] = {}
    for path in folder.glob("docs/v*.yaml"):
        match = re.fullmatch(r"v(\d+)\.(\d+)", path.stem)
        if match is None or (version := (int(match[1]), int(match[2]))) < OLDEST:
            continue
        paths = YAML(typ="safe").load(path)["paths"]
        found[version] = {
            (method.upper(), name) for name, part in paths.items() for method in part if method in METHODS
        }
    return found


def table(versions: dict[Version, set[tuple[str, str]]]) -> str:
    """One line for each call: method, path, first and last version, between tabs."""
    calls = sorted(set().union(*versions.values()), key=lambda call: (call[1], call[0]))
    lines = []
    for method, path in calls:
        named = sorted(version for version, part in versions.items() if (method, path) in part)
        first, last = (f"{version[0]}.{version[1]}" for version in (named[0], named[-1]))
        lines.append(f"{method}\t{path}\t{first}\t{last}")
    return "\n".join(lines) + "\n"


def main(folder: Path) -> None:
    """Read the module and write the table."""
    versions = described(folder)
    newest = max(versions)
    head = (
        f"# Every call of the Docker Engine API from 1.40 to {newest[0]}.{newest[1]}: method, path, first and last "
        f"version.\n# Generated from {folder.name} of github.com/moby/moby by tests/docker_api/generate.py.\n"
    )
    (HERE / "calls.tsv").write_text(head + table(versions))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
