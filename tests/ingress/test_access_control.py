"""The rendered access control, read and applied by Authelia's own code."""

from pathlib import Path
from typing import Any

import pytest

from lab.plan.records import LabPlan
from lab.render.authelia import access_control
from tests.lab.render.test_authelia import lab
from tests.support.authelia import policies
from tests.support.builders import route

pytestmark = pytest.mark.engine

LEFTOVER = "access_control: {default_policy: bypass, rules: [{domain: '*.lab.example', policy: bypass}]}\n"
"""What a person's own file may still hold."""


def decided(folder: Path, of: LabPlan, *urls: str, own: str = "", **environment: str) -> list[str]:
    """What Authelia asks for, with a person's own file before the lab's."""
    assert of.ingress is not None
    files = {
        "configuration.yml": own or "theme: dark\n",
        "access-control.yml": access_control(of.ingress, of.domain),
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    return policies([folder / name for name in files], [f"https://{url}" for url in urls], environment)


@pytest.mark.parametrize(
    ("default", "auth", "wanted"),
    [
        ("two-factor", None, "two_factor"),
        ("two-factor", "one-factor", "one_factor"),
        ("one-factor", None, "one_factor"),
        ("one-factor", "two-factor", "two_factor"),
        ("none", "one-factor", "one_factor"),
        ("none", "two-factor", "two_factor"),
    ],
)
@pytest.mark.parametrize("host", ["www", "www.other.example"])
def test_a_route_asks_for_what_it_says(
    tmp_path: Path, default: str, auth: str | None, wanted: str, host: str
) -> None:
    """Its own word, else the lab's default; below the lab's domain, and for a name of another one."""
    asked = route(host) if auth is None else route(host, auth=auth)
    name = host if "." in host else f"{host}.lab.example"
    assert decided(tmp_path, lab(asked, default=default), f"{name}/", f"{name}/a?b=c") == [wanted, wanted]


def test_the_longest_path_decides(tmp_path: Path) -> None:
    """As at Traefik: a path below a host has its own word, its dot is only a dot, and a query is no path."""
    mixed = lab(
        route("www", auth="one-factor"),
        route("www", path="/api", auth="two-factor"),
        route("www", path="/api/v1.0", auth="one-factor"),
        route("plain"),
    )
    wanted = {
        "www.lab.example/": "one_factor",
        "www.lab.example/?/api": "one_factor",
        "www.lab.example/api": "two_factor",
        "www.lab.example/apis": "two_factor",
        "www.lab.example/api/v2?x=/api/v1.0": "two_factor",
        "www.lab.example/api/v1.0/a": "one_factor",
        "www.lab.example/api/v1x0": "two_factor",
        "www.lab.example/x/api": "one_factor",
        "plain.lab.example/api": "two_factor",
    }
    assert dict(zip(wanted, decided(tmp_path, mixed, *wanted), strict=True)) == wanted


def test_a_host_is_itself_however_it_is_spelled(tmp_path: Path) -> None:
    """Upper case and a port change nothing; a name that no route can have is let in nowhere, not even by default."""
    mixed = lab(route("vault", auth="two-factor"), default="one-factor")
    same = ("vault.lab.example/", "VAULT.lab.example/", "vault.lab.example:8443/")
    assert decided(tmp_path, mixed, *same) == ["two_factor"] * 3
    none = ("vault.lab.example./", "lab.example/", "vault.lab.example.evil.example/", "evillab.example/")
    assert decided(tmp_path, mixed, *none) == ["deny"] * 4


@pytest.mark.parametrize("routes", [[route("vault")], [route("vault"), route("www", auth="one-factor")]])
def test_nothing_of_an_own_file_stays_in_force(tmp_path: Path, routes: list[dict[str, Any]]) -> None:
    """What a person's file says of access is replaced as a whole, also where no route differs from the default."""
    urls = ("vault.lab.example/", "elsewhere.example/")
    assert decided(tmp_path, lab(*routes), *urls, own=LEFTOVER) == ["two_factor", "deny"]


def test_a_later_file_and_a_variable_win(tmp_path: Path) -> None:
    """Why the lab's file has to be the last one, and why a variable about access is refused (`lab/plan/sign_in.py`)."""
    own, labs = tmp_path / "configuration.yml", tmp_path / "access-control.yml"
    assert decided(tmp_path, lab(route("vault")), "x.example/", own=LEFTOVER) == ["deny"]
    assert policies([labs, own], ["https://vault.lab.example/"]) == ["bypass"]
    variable = {"AUTHELIA_ACCESS_CONTROL_DEFAULT_POLICY": "bypass"}
    assert policies([own, labs], ["https://x.example/"], variable) == ["bypass"]


def test_the_judge_refuses_what_authelia_would(tmp_path: Path) -> None:
    """A file that Authelia cannot read is an error here too, so that a green test means something."""
    (tmp_path / "a.yml").write_text("access_control: {rules: [{domain: a.example, resources: ['^/(']}]}\n")
    with pytest.raises(ValueError, match="error parsing regexp"):
        policies([tmp_path / "a.yml"], ["https://a.example/"])
