"""The real program, beside a lab file in a folder of its own, run against a recording engine."""

import gc
import json
import os
import runpy
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from lab.ledger import ledger_path
from lab.names import environment_variable
from lab.plan import load_plan, load_plan_and_ledger
from tests.support.engine import NEW_TAILNET, Recording, Zones, record

ROOT = Path(__file__).resolve().parents[2]
LABS = {"dev": ROOT / "Pulumi.dev.yaml"} | {
    path.parent.name: path for path in sorted((ROOT / "tests" / "labs").glob("*/lab.yaml"))
}
CANARY = "canary-55e1-"
"""Part of every value of a secret."""


def prepare(folder: Path, name: str, *, recorded: bool = True) -> Path:
    """The program in a folder of its own, beside a lab file and, if so wished, everything recorded."""
    lab_file = folder / f"Pulumi.{name}.yaml"
    shutil.copy(LABS[name], lab_file)
    shutil.copy(ROOT / "__main__.py", folder)
    if recorded:
        committed = ledger_path(LABS[name])
        if committed.exists():
            shutil.copy(committed, folder)
        ledger_path(lab_file).write_text(load_plan_and_ledger(lab_file)[1].text())
    return lab_file


def run(
    lab_file: Path,
    *,
    preview: bool = False,
    secrets: bool = True,
    values: Mapping[str, str] | None = None,
    policy: str | None = NEW_TAILNET,
    zones: Zones | None = None,
) -> Recording:
    """Run the program beside a lab file.

    Args:
        lab_file: from `prepare`.
        preview: whether values that are known later are unknown.
        secrets: whether each of the lab's secrets has a value.
        values: of secrets that have to be more than any text, by their names.
        policy: the policy that the lab's tailnet has.
        zones: what is in the public zones.
    """
    data = YAML(typ="safe", pure=True).load(lab_file.read_text())
    config = {"homelab:lab": json.dumps(data["config"]["homelab:lab"])}
    main, stack = str(lab_file.with_name("__main__.py")), lab_file.name.split(".")[1]
    with pytest.MonkeyPatch.context() as environment:
        # A shell that has read `.sandbox/env` must not change what is tested.
        for variable in [name for name in os.environ if name.startswith(("LAB_SECRET_", "LAB_CONNECTION_"))]:
            environment.delenv(variable)
        for secret in load_plan(lab_file).secrets if secrets else ():
            value = (values or {}).get(secret.name, f"{CANARY}{secret.name}")
            environment.setenv(environment_variable("LAB_SECRET", secret.name), value)
        try:
            return record(
                lambda: runpy.run_path(main, run_name="__main__"),
                stack=stack,
                preview=preview,
                config=config,
                policy=policy,
                zones=zones,
            )
        finally:
            # The program turns the garbage collector off for good; the tests that follow want it.
            gc.unfreeze()
            gc.enable()
