"""What `make up` says in the end: how to open the routes."""

from pathlib import Path

import pytest

from cli.up import API_SECRETS, _urls
from cli.verify import ROOTS_VARIABLE
from lab.plan import load_plan
from sandbox.environment import API_CREDENTIALS

ROOT = Path(__file__).resolve().parents[2]
FORWARDS = {443: ("127.0.0.1", 20001)}


def _lines(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    plan = load_plan(ROOT / "Pulumi.dev.yaml")
    monkeypatch.chdir(folder)
    return list(_urls(plan, FORWARDS))


def test_a_known_root_is_given_to_curl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a path from where `make up` was typed, so that a line fits the screen."""
    (tmp_path / "roots.pem").touch()
    monkeypatch.setenv(ROOTS_VARIABLE, str(tmp_path / "roots.pem"))
    www = "www.dev.lab.example"
    line = f"  curl --cacert roots.pem --resolve {www}:20001:127.0.0.1 https://{www}:20001/   (lan)"
    lines = _lines(tmp_path, monkeypatch)
    assert line in lines
    assert " -k" not in "".join(lines)


def test_without_a_root_curl_verifies_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the last line says why."""
    monkeypatch.setenv(ROOTS_VARIABLE, str(tmp_path / "roots.pem"))
    lines = _lines(tmp_path, monkeypatch)
    assert [line for line in lines if "curl" in line and "curl -k " not in line] == []
    assert lines[-1] == "  -k, because Traefik signed its certificate itself: nobody here signs any"


def test_no_secret_is_generated_in_place_of_a_credential() -> None:
    """What the sandbox's APIs accept is made by the sandbox, and `make up` asks it for nothing of that name."""
    assert set(API_CREDENTIALS.values()) == API_SECRETS
