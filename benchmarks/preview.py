"""How fast Pulumi previews the unchanged dev lab, beside a bare program with the same resources.

The bare program is written from the stack's own state: every resource with its type,
name, parent, provider and inputs, and nothing else. It plans nothing and imports no
provider SDK, so the ratio is what this project costs on top of the engine.
"""

import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.measure import Figure, run
from cli.up import ENV_FILE, ENVIRONMENT, read_environment

_RUNS = 5
_SECRET = "4dabf18193072939515e22adb298388d"
"""The key by which Pulumi's state marks a special value (`sdk/v3/go/common/resource/sig`)."""
_PROGRAM = """\
import gc

gc.disable()
import json
from pathlib import Path

import pulumi

made = {}
for r in json.loads(Path("resources.json").read_text()):
    parent = made.get(r["parent"])
    if r["type"].startswith("pulumi:providers:"):
        options = pulumi.ResourceOptions(parent=parent, version=r["version"])
        package = r["type"].rpartition(":")[2]
        made[r["urn"]] = pulumi.ProviderResource(package, r["name"], r["inputs"], options)
    elif not r["custom"]:
        options = pulumi.ResourceOptions(parent=parent)
        made[r["urn"]] = pulumi.ComponentResource(r["type"], r["name"], None, options)
    else:
        options = pulumi.ResourceOptions(parent=parent, provider=made.get(r["provider"]))
        made[r["urn"]] = pulumi.CustomResource(r["type"], r["name"], r["inputs"], options)
"""


def preview_figures(checkout: Path) -> Iterator[Figure]:
    """A preview of a checkout's running dev lab, one of the bare program, and their ratio, taken turn by turn."""
    environment = read_environment(checkout / ENV_FILE)
    preview = ["pulumi", "preview", "--stack", ENVIRONMENT, "--non-interactive", "--suppress-progress"]
    export = ["pulumi", "stack", "export", "--stack", ENVIRONMENT, "--show-secrets"]
    state = json.loads(run(export, environment=environment, folder=checkout))
    resources = [_bare(resource) for resource in state["deployment"]["resources"]]
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder), resources)
        ours: list[float] = []
        bare: list[float] = []
        for _ in range(_RUNS):
            ours.append(_seconds(preview, environment, checkout))
            bare.append(_seconds(preview, environment, Path(folder)))
    ratios = tuple(a / b for a, b in zip(ours, bare, strict=True))
    yield Figure(
        f"`pulumi preview` of the unchanged dev lab ({len(resources)} resources)", tuple(ours), "under 4 s"
    )
    yield Figure("the same resources by a bare program", tuple(bare))
    yield Figure("ratio of the two", ratios, unit="")


def _seconds(command: list[str], environment: dict[str, str], folder: Path) -> float:
    started = time.perf_counter()
    run(command, environment=environment, folder=folder)
    return time.perf_counter() - started


def _bare(resource: dict[str, Any]) -> dict[str, Any]:
    urn = str(resource["urn"])
    provider = str(resource.get("provider", "")).rpartition("::")[0]
    inputs = _plain(resource.get("inputs", {}))
    return {
        "urn": urn,
        "type": resource["type"],
        "name": urn.rpartition("::")[2],
        "custom": bool(resource.get("custom")),
        "parent": resource.get("parent", ""),
        "provider": provider,
        "version": inputs.pop("version", None),
        "inputs": inputs,
    }


def _plain(value: Any) -> Any:
    """A recorded value as a program would write it: secrets bare, and without what a plugin filled in."""
    if isinstance(value, dict):
        if _SECRET in value:
            return json.loads(value["plaintext"])
        filled_in = {"__defaults", *value.get("__defaults", ())}
        return {k: _plain(v) for k, v in value.items() if k not in filled_in and v is not None}
    return [_plain(part) for part in value] if isinstance(value, list) else value


def _write(folder: Path, resources: list[dict[str, Any]]) -> None:
    wanted = [r for r in resources if r["type"] != "pulumi:pulumi:Stack"]
    (folder / "__main__.py").write_text(_PROGRAM)
    (folder / "resources.json").write_text(json.dumps(wanted))
    (folder / "Pulumi.yaml").write_text("name: homelab\nruntime: python\n")
    (folder / f"Pulumi.{ENVIRONMENT}.yaml").write_text(Path(f"Pulumi.{ENVIRONMENT}.yaml").read_text())
