"""What a proxy is told: exactly the calls of the declared rights, in the form that its kind reads."""

import re
from collections.abc import Callable
from itertools import pairwise

import pytest

from lab.docker_api import RIGHTS, Call, Right, calls_of, root_calls
from lab.plan.records import DockerFilterPlan
from lab.render.docker_proxy import RULES_FILE, configured, environment, rules
from tests.docker_api.calls import documented, path_of
from tests.support.builders import plan, service, service_of, stack
from tests.support.golden import assert_golden

NAMES = {"images": "docker.io/library/nginx:1.29@sha256:" + "a1" * 32, "plugins": "vieux/sshfs:latest"}
READING: tuple[Right, ...] = tuple(right for right in RIGHTS if not root_calls([right]))
Admits = Callable[[str, str], bool]


def proxy(kind: str, *rights: Right) -> DockerFilterPlan:
    """A proxy of some kind."""
    return DockerFilterPlan(
        kind="cetusguard" if kind == "cetusguard" else "socket-proxy", consumer="web/app", rights=rights
    )


def admits(given: DockerFilterPlan) -> Admits:
    """Whether what a proxy is told lets a request through, as each of them decides: the whole path, and its method."""
    if given.kind == "cetusguard":
        lines = [line.split(" ", 1) for line in rules(given).splitlines() if not line.startswith("!")]
        return lambda method, path: any(m == method and re.fullmatch(p, path) for m, p in lines)
    told = environment(given)
    # The real program puts ^ and $ around the text and adds no group.
    return lambda method, path: bool(re.search(f"^{told.get(f'SP_ALLOW_{method}', '(?!)')}$", path))


@pytest.mark.parametrize("prefix", ["", "/v1.41", "/v1.56"])
@pytest.mark.parametrize("rights", [("list",), ("list", "events"), READING, tuple(RIGHTS)], ids=len)
@pytest.mark.parametrize("kind", ["cetusguard", "socket-proxy"])
def test_exactly_the_declared_calls_are_let_through(
    kind: str, rights: tuple[Right, ...], prefix: str
) -> None:
    """Of all documented calls those of the rights pass, and no other."""
    passes = admits(proxy(kind, *rights))
    through = {call for call in documented() if passes(call.method, prefix + path_of(call, NAMES))}
    assert through == set(calls_of(rights))


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "path",
    [
        "/containers/x/json/../../create",
        "/containers/../containers/create",
        "/containers/%2e%2e/create",
        "/containers/x%2fjson",
        "/containers//json",
        "/v1.41/v1.41/containers/json",
        "//containers/json",
        "/images/../containers/create/json",
        "/images/x/../../containers/x/json",
        "/containers/json/",
        "/containers/json\n",
        "/anything/containers/json",
        "/v1/containers/json",
        "/grpc",
        "/metrics",
        "/debug/pprof/",
    ],
)
@pytest.mark.parametrize("kind", ["cetusguard", "socket-proxy"])
def test_no_path_leads_out_of_a_rule(kind: str, path: str, method: str) -> None:
    """A path that only begins, ends or is spelled like an allowed one is refused with all reading rights."""
    if not (path.endswith("\n") and kind == "socket-proxy"):
        assert not admits(proxy(kind, *READING))(method, path)


def test_the_parameters_of_a_call_do_not_matter() -> None:
    """CetusGuard up to 1.1 matches the question mark and what follows; what is asked there is no right."""
    passes = admits(proxy("cetusguard", "list"))
    assert passes("GET", "/v1.41/containers/json?all=1&filters=%7B%7D")
    assert not passes("GET", "/v1.41/containers/create?x=/containers/json")


def test_a_proxy_has_one_line_for_each_call() -> None:
    """The rules say what each line is for, and none stands twice."""
    lines = rules(proxy("cetusguard", "list", "files", "list")).splitlines()
    assert lines[0] == "! What web/app may ask: list, files, list; nothing else is let through."
    assert all(not (one.startswith("! ") and other.startswith("! ")) for one, other in pairwise(lines[1:-1]))
    assert len([line for line in lines if not line.startswith("!")]) == len(calls_of(("list", "files")))


def test_the_settings_of_a_planned_proxy(update_golden: bool, request: pytest.FixtureRequest) -> None:
    """The rules file is beside the variables, which name it; a service that is no proxy is left as it is."""
    decided = plan(stacks={"web": stack(app=service(docker_api={"rights": ["list", "events"]}))})
    made = configured(service_of(decided, "web/app-docker-api"))
    assert made.environment["CETUSGUARD_RULES_FILE"] == RULES_FILE
    assert made.environment["CETUSGUARD_NO_BUILTIN_RULES"] == "true"
    (file,) = made.files
    assert file.path == RULES_FILE
    assert_golden(request.path.parent / "expected" / "rules.list", file.content, update=update_golden)
    app = service_of(decided, "web/app")
    assert configured(app) is app
    assert app.environment == {"DOCKER_HOST": "tcp://app-docker-api:2375"}


def test_another_address_for_the_api_is_kept() -> None:
    """A service that reads the address under the same name, written otherwise, keeps what its lab file says."""
    asks = service(docker_api={"rights": ["list"]}, environment={"DOCKER_HOST": "tcp://elsewhere:1"})
    decided = plan(stacks={"web": stack(app=asks)})
    assert service_of(decided, "web/app").environment["DOCKER_HOST"] == "tcp://elsewhere:1"


def test_only_the_proxy_holds_the_socket() -> None:
    """The proxy mounts the socket as root without capabilities, reads its files only, and has no other network."""
    decided = plan(stacks={"web": stack(app=service(docker_api={"rights": ["list"]}))})
    app, made = (service_of(decided, f"web/{name}") for name in ("app", "app-docker-api"))
    assert (app.docker_socket, app.docker_proxy) == (False, "web/app-docker-api")
    assert (made.docker_socket, made.user, made.capabilities, made.read_only) == (True, "0:0", (), True)
    assert [part.network for part in made.attachments] == ["socket-web-app"]
    assert decided.warnings == ()


def test_a_call_is_written_as_the_engine_does() -> None:
    """Method, space, path."""
    assert str(Call("GET", "/containers/{id}/json")) == "GET /containers/{id}/json"
