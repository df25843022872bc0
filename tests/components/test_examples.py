"""The examples are programs that run."""

import runpy
from pathlib import Path

import pytest

from tests.support.engine import record, visible

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted(path for path in (ROOT / "examples").glob("*.py") if path.name != "__init__.py")
FIVE = ["isolated_service_stack", "proxmox_node", "traefik_ingress", "vlan", "wildcard_cert"]
CANARY = "canary-19c4"


def test_each_of_the_five_has_an_example() -> None:
    """The five components are shown, each in its own program."""
    assert [path.stem for path in EXAMPLES] == FIVE


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs(path: Path) -> None:
    """An example registers its component under explicit providers, exports something, and shows no secret."""
    config = {"homelab:proxmox-token": CANARY, "homelab:cloudflare-token": CANARY}
    recording = record(lambda: runpy.run_path(str(path)), config=config, secret_keys=tuple(config))
    component = "".join(word.title() for word in path.stem.split("_"))
    assert recording.one(f"homelab:index:{component}") in recording.resources
    assert recording.exports
    for found in recording.resources:
        assert CANARY not in visible(dict(found.inputs)), found.urn
        if found.custom and not found.type.startswith("pulumi:providers:"):
            assert found.provider, f"{found.urn} lands on a default provider"
