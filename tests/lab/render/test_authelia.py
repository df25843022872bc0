"""Authelia's access control: it decides what each route asks for, and a route by default changes nothing of it."""

from typing import Any

import pytest
from ruamel.yaml import YAML

from lab.errors import LabError
from lab.flows import Endpoint
from lab.plan.records import LabPlan
from lab.plan.sign_in import ACCESS_CONTROL
from lab.render.authelia import access_control
from lab.render.placed import files_by_hand, placed_files
from lab.render.traefik import dynamic_configuration
from tests.labs.reading import LABS
from tests.support.builders import ingress, plan, route, service, stack
from tests.support.golden import assert_golden
from tests.support.plans import plan_of

SIGN_IN = Endpoint("service", "sign-in/authelia")


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
    text = access_control(decided.ingress, decided.domain)
    return YAML(typ="safe", pure=True).load(text)["access_control"]


def test_what_differs_from_the_default_has_a_rule() -> None:
    """The longest path of a host first, literally; then the domain; and nothing else is let in.

    `tests/ingress/test_access_control.py` has Authelia's own code apply it.
    """
    decided = lab(
        route("www", auth="one-factor"),
        route("www", path="/api"),
        route("www", path="/api/v1.0", auth="one-factor"),
        route("www", path="/open", auth="none"),
        route("plain"),
        route("www.other.example"),
    )
    assert control(decided) == {
        "default_policy": "deny",
        "rules": [
            {"domain": "www.lab.example", "resources": [r"^/api/v1\.0"], "policy": "one_factor"},
            {"domain": "www.lab.example", "resources": ["^/api"], "policy": "two_factor"},
            {"domain": "www.lab.example", "policy": "one_factor"},
            {"domain": "www.other.example", "policy": "two_factor"},
            {"domain": "*.lab.example", "policy": "two_factor"},
        ],
    }


def test_a_route_by_default_leaves_the_sign_in_alone() -> None:
    """Adding or removing a service replaces nothing outside it, and Authelia reads its file only when it starts."""
    before, after = lab(route("a", auth="one-factor")), lab(route("a", auth="one-factor"), route("b"))
    assert control(before) == control(after)


def test_another_factor_is_the_sign_in_s_alone() -> None:
    """Traefik's files are the same for one factor and two, so that only Authelia is replaced."""
    one, two = (lab(route("a", auth=auth)).ingress for auth in ("one-factor", "two-factor"))
    assert one is not None
    assert two is not None
    assert dynamic_configuration(one) == dynamic_configuration(two)
    assert one.service == two.service


def test_only_an_authelia_gets_the_file() -> None:
    """A service of the lab finds it in its container; for another machine, and for one that is only observed, a
    person puts it in place."""
    decided = lab(route("www", auth="one-factor"))
    assert decided.ingress is not None
    text = access_control(decided.ingress, decided.domain)
    assert placed_files(decided) == {decided.ingress.auth: {ACCESS_CONTROL: text}}
    assert files_by_hand(decided) == {}
    elsewhere = plan(
        ingress=ingress(auth={"kind": "authelia", "endpoint": "guest:docker-1"}), stacks={}, tailnet={}
    )
    assert list(files_by_hand(elsewhere)) == [f"docker-1{ACCESS_CONTROL}"]
    watched = {**stack(authelia=service(listens=[9091])), "manage": "observe"}
    observed = plan(
        ingress=ingress(auth={"kind": "authelia", "endpoint": str(SIGN_IN)}), stacks={"sign-in": watched}
    )
    assert list(files_by_hand(observed)) == [f"sign-in/authelia{ACCESS_CONTROL}"]
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
    filtered = ["authelia", "--config.experimental.filters=template"]
    assert told(command=filtered) == f"/config/configuration.yml,{ACCESS_CONTROL}"
    for words in (
        [f"--config={own}"],
        ["--config", own],
        ["-c", "/config/a.yml", f"-c={ACCESS_CONTROL}"],
        [f"-c{own}"],
    ):
        assert told(command=["authelia", *words]) is None


@pytest.mark.parametrize("words", [["-c/a.yml"], ["-c", "/a.yml"], ["--config", f"{ACCESS_CONTROL},/a.yml"]])
def test_a_command_that_reads_another_file_last_is_refused(words: list[str]) -> None:
    """However it is said, because that file would decide how many factors a route asks for."""
    authelia = service(listens=[9091], route=route("auth", auth="none"), command=["authelia", *words])
    given = {"kind": "authelia", "endpoint": str(SIGN_IN)}
    with pytest.raises(LabError, match=r"sign-in\.services\.authelia\.command: .* the last of them decides"):
        plan(ingress=ingress(auth=given), stacks={"sign-in": stack(authelia=authelia)}, tailnet={})


def test_the_file_of_a_lab_is_golden(update_golden: bool) -> None:
    """It is exactly as it was when somebody last read it."""
    [text] = placed_files(plan_of(LABS.parent / "support" / "full_lab.yaml"))[SIGN_IN].values()
    assert_golden(LABS / "full" / "expected" / "access-control.yml", text, update=update_golden)
