"""Authelia's access control: it decides what each route asks for, and a route by default changes nothing of it."""

import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from lab.plan.records import IngressPlan, LabPlan
from lab.plan.sign_in import ACCESS_CONTROL
from lab.render.authelia import access_control
from lab.render.placed import files_by_hand, placed_files
from tests.labs.reading import LABS
from tests.support.builders import ingress, plan, route, service, stack
from tests.support.golden import assert_golden
from tests.support.plans import plan_of


def lab(*routes: dict[str, Any], default: str = "two-factor", **auth: Any) -> LabPlan:
    """A lab whose services have these routes, and an Authelia beside them."""
    services = {f"s{number}": service(listens=[80], route=route) for number, route in enumerate(routes)}
    given = {"kind": "authelia", "endpoint": "service:sign-in/authelia", "default": default, **auth}
    authelia = service(listens=[9091], route=route("auth", auth="none"))
    return plan(
        ingress=ingress(auth=given, slots=8),
        stacks={"web": stack(**services), "sign-in": stack(authelia=authelia)},
        tailnet={},
    )


def control(decided: LabPlan) -> Any:
    """What a YAML reader makes of the file."""
    assert decided.ingress is not None
    return YAML(typ="safe", pure=True).load(access_control(decided.ingress))["access_control"]


def policy(decided: LabPlan, host: str, path: str) -> str:
    """What Authelia decides: the policy of the first rule that matches, else the default (its documentation)."""
    found = control(decided)
    for rule in found.get("rules", []):
        here = rule["domain"] == host
        if here and any(re.search(pattern, path) for pattern in rule.get("resources", [""])):
            return str(rule["policy"])
    return str(found["default_policy"])


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
def test_a_route_asks_for_what_it_says(default: str, auth: str | None, wanted: str) -> None:
    """Its own word, else the lab's default; nobody who is sent to sign in gets by with less."""
    asked = route("www") if auth is None else route("www", auth=auth)
    assert policy(lab(asked, default=default), "www.lab.example", "/") == wanted


def test_the_longest_path_decides() -> None:
    """As at Traefik: a path below a host has its own word, and a name that looks like a pattern is only itself."""
    decided = lab(
        route("www", auth="one-factor"),
        route("www", path="/api", auth="two-factor"),
        route("www", path="/api/v1.0", auth="one-factor"),
        route("plain"),
    )
    asked = {
        path: policy(decided, "www.lab.example", path)
        for path in ("/", "/api", "/api/v2?x=/api/v1.0", "/api/v1.0/a", "/api/v1x0", "/x/api")
    }
    assert asked == {
        "/": "one_factor",
        "/api": "two_factor",
        "/api/v2?x=/api/v1.0": "two_factor",
        "/api/v1.0/a": "one_factor",
        "/api/v1x0": "two_factor",
        "/x/api": "one_factor",
    }
    assert policy(decided, "plain.lab.example", "/api") == "two_factor"
    assert policy(decided, "www.lab.example.evil.example", "/") == "two_factor"


def test_a_route_by_default_leaves_the_sign_in_alone() -> None:
    """Adding or removing a service replaces nothing outside it, and Authelia reads its file only when it starts."""
    before, after = lab(route("a", auth="one-factor")), lab(route("a", auth="one-factor"), route("b"))
    assert control(before) == control(after)
    assert control(lab(route("b"))) == {"default_policy": "two_factor"}


def test_only_an_authelia_gets_the_file() -> None:
    """A service of the lab finds it in its container; for another machine a person puts it in place."""
    decided = lab(route("www", auth="one-factor"))
    assert decided.ingress is not None
    text = access_control(decided.ingress)
    assert placed_files(decided) == {decided.ingress.auth: {ACCESS_CONTROL: text}}
    assert files_by_hand(decided) == {}
    elsewhere = plan(
        ingress=ingress(auth={"kind": "authelia", "endpoint": "guest:docker-1"}), stacks={}, tailnet={}
    )
    assert list(files_by_hand(elsewhere)) == [f"docker-1{ACCESS_CONTROL}"]
    authentik = plan(
        ingress=ingress(auth={"kind": "authentik", "endpoint": "guest:docker-1"}), stacks={}, tailnet={}
    )
    assert placed_files(authentik) == {}


def test_authelia_is_told_to_read_it() -> None:
    """After its own file, since a later one wins; a lab that says it itself is left alone."""

    def told(**more: Any) -> str | None:
        authelia = service(listens=[9091], route=route("auth", auth="none"), **more)
        given = {"kind": "authelia", "endpoint": "service:sign-in/authelia"}
        stacks = {"sign-in": stack(authelia=authelia)}
        [found] = plan(ingress=ingress(auth=given), stacks=stacks, tailnet={}).stacks[0].services
        return found.environment.get("X_AUTHELIA_CONFIG")

    assert told() == f"/config/configuration.yml,{ACCESS_CONTROL}"
    own = f"/config/a.yml,{ACCESS_CONTROL}"
    assert told(environment={"X_AUTHELIA_CONFIG": own}) == own
    assert told(command=["authelia", f"--config=/a.yml,{ACCESS_CONTROL}"]) is None


def test_the_file_of_a_lab_is_golden(update_golden: bool) -> None:
    """It is exactly as it was when somebody last read it."""
    decided: IngressPlan | None = plan_of(LABS.parent / "support" / "full_lab.yaml").ingress
    assert decided is not None
    assert_golden(
        LABS / "full" / "expected" / "access-control.yml", access_control(decided), update=update_golden
    )
