"""Probes from containers that join a service's network: what they run, and a real engine that runs them."""

from collections.abc import Iterator
from typing import Any

import docker
import pytest
from docker.errors import DockerException

from lab.plan.hosts import LOADER_IMAGE
from probe.containers import EngineUnreachable, running_containers
from probe.inside import Aim
from probe.joined import HELPER_LABEL, JoinedSpace, _answers, _code, _script
from probe.names import FROM_OUTSIDE
from probe.spaces import CannotEnter, LocalSpace, Space, canaries
from tests.probe.asked import TARGET
from tests.sandbox.docker.running import NOWHERE, Running
from tests.sandbox.engine_ground import guest, real_checkout

PORT = 47001
SERVICE = f"docker.io/library/app:1@sha256:{'ab' * 32}"


def test_answers_are_told_apart_by_their_marks() -> None:
    """Each answer is given back with the number of its question, whatever is between two of them."""
    text = "noise\x023 service:b/b \x03\x020 HTTP/1.0 400 Bad Request  \x03\nmore noise"

    assert list(_answers(text)) == [(3, "service:b/b "), (0, "HTTP/1.0 400 Bad Request  ")]
    assert list(_answers("")) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Server:\t127.0.0.11\n\n** server can't find probe.lab.example: NXDOMAIN\n", "NXDOMAIN"),
        ("Server:\t127.0.0.11\n\n** server can't find probe.lab.example: SERVFAIL\n", "SERVFAIL"),
        ("Non-authoritative answer:\nName:\twww.lab.example\nAddress: 192.0.2.1\n", "NOERROR"),
        (";; connection timed out; no servers could be reached\n", ""),
        ("", ""),
    ],
)
def test_busybox_tells_the_code_of_an_answer(text: str, code: str) -> None:
    """`nslookup` has no other way to say it; a helper that was stopped says nothing."""
    assert _code(text) == code


def test_all_connections_are_opened_side_by_side() -> None:
    """Each runs in the background with a limit of its own, and the script ends when all have."""
    lines = _script([(4, ("10.0.0.1", 80, "tcp")), (9, ("10.0.0.2", 443, "tcp"))], 3.0).splitlines()

    assert [
        ("timeout 3 nc -w 3 10.0.0.1 80" in lines[0]),
        ("timeout 3 nc -w 3 10.0.0.2 443" in lines[1]),
    ] == [
        True,
        True,
    ]
    assert all(line.endswith("&") for line in lines[:2])
    assert lines[2:] == ["wait"]


def test_no_patience_is_too_short_for_a_second() -> None:
    """`timeout 0` would be no limit at all."""
    assert "timeout 1 nc -w 1" in _script([(0, ("10.0.0.1", 80, "tcp"))], 0.2)


class _Engine:
    """An engine that writes down what is asked of it, and starts nothing."""

    def __init__(self, fails: str = "") -> None:
        self.fails = fails
        self.made: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
        self.calls: list[str] = []

    def create_host_config(self, **settings: Any) -> dict[str, Any]:
        return settings

    def create_container(self, *parts: Any, **settings: Any) -> dict[str, Any]:
        self._call("create")
        self.made.append((parts, settings))
        return {"Id": "made"}

    def start(self, _: str) -> None:
        self._call("start")

    def wait(self, _: str, timeout: int) -> None:
        self._call("wait")

    def logs(self, _: str, **streams: bool) -> bytes:
        assert streams == {"stdout": True, "stderr": False}
        return b"\x021 service:b/b \x03"

    def remove_container(self, container: str, *, force: bool) -> None:
        assert (container, force) == ("made", True)
        self.calls.append("remove")

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if name == self.fails:
            raise DockerException("no")


def _space(engine: Any) -> JoinedSpace:
    return JoinedSpace(engine, "0123456789abcdef", "busybox")


def test_a_helper_has_no_right_that_it_does_not_need() -> None:
    """It joins the network and nothing else: no capability, nothing to write on, a label to be found by."""
    engine = _Engine()
    _space(engine).ask([("10.0.0.1", 80, "tcp")] * 2, 1.0)
    [(parts, settings)] = engine.made

    assert parts == ("busybox",)
    assert settings["labels"] == {HELPER_LABEL: "yes"}
    assert settings["host_config"] == {
        "network_mode": "container:0123456789abcdef",
        "cap_drop": ["ALL"],
        "read_only": True,
        "security_opt": ["no-new-privileges:true"],
    }
    assert engine.calls == ["create", "start", "wait", "remove"]


def test_udp_is_not_asked() -> None:
    """busybox has no program for it, and a helper for nothing is not started."""
    engine = _Engine()
    space = _space(engine)

    assert not space.udp
    assert space.ask([("10.0.0.1", 53, "udp")], 1.0) == [(False, "", 1000.0)]
    assert engine.calls == []


def test_answers_keep_the_place_of_their_question() -> None:
    """Also where a question between them was not asked."""
    aims: list[Aim] = [("10.0.0.1", 53, "udp"), ("10.0.0.2", 80, "tcp"), ("10.0.0.3", 80, "tcp")]

    assert [text for _, text, _ in _space(_Engine()).ask(aims, 1.0)] == ["", "service:b/b ", ""]


@pytest.mark.parametrize(
    ("fails", "message", "calls"),
    [
        ("create", "no helper could be made beside 0123456789ab", ["create"]),
        ("start", "the helper beside 0123456789ab failed", ["create", "start", "remove"]),
        ("wait", "the helper beside 0123456789ab failed", ["create", "start", "wait", "remove"]),
    ],
)
def test_a_helper_that_was_made_is_removed_whatever_fails(fails: str, message: str, calls: list[str]) -> None:
    """Nothing of a failed probe stays on somebody's machine."""
    engine = _Engine(fails)
    with pytest.raises(CannotEnter, match=message):
        _space(engine).ask([("10.0.0.1", 80, "tcp")], 1.0)

    assert engine.calls == calls


def test_without_consent_nothing_is_started_on_another_machine() -> None:
    """The refusal says what --helpers does there."""
    with pytest.raises(
        EngineUnreachable, match="add --helpers: then a small container is started beside each"
    ):
        running_containers("docker-1", "ssh://10.10.20.11")


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """One engine for the tests of this file."""
    with real_checkout() as checkout:
        own = Running(checkout, guest("docker-1", 201, "10.10.20.11", engine=True), NOWHERE)
        try:
            own.machine.start(own.guest)
            yield own
        finally:
            own.close()


@pytest.fixture(scope="module")
def lab(running: Running) -> Iterator[dict[str, Any]]:
    """Two services on one network and one on another; the probe's image is there as after `make up`."""
    client = running.client()
    for image in (LOADER_IMAGE, SERVICE):
        client.images.pull(image)
    for number, name in enumerate(("one", "two")):
        pool = docker.types.IPAMPool(subnet=f"10.128.7.{16 * number}/28")
        client.networks.create(name, internal=True, ipam=docker.types.IPAMConfig(pool_configs=[pool]))
    made = {}
    for name, network in (("a", "one"), ("b", "one"), ("c", "two")):
        labels = {"homelab.endpoint": f"service:{name}/{name}", "homelab.listens": "80/tcp"}
        made[name] = client.containers.run(
            SERVICE, name=f"own-{name}", network=network, labels=labels, detach=True
        )
        made[name].reload()
    yield made
    for container in made.values():
        container.remove(force=True)
    client.close()


def _address(container: Any) -> str:
    [network] = container.attrs["NetworkSettings"]["Networks"].values()
    return str(network["IPAddress"])


def _helpers(running: Running) -> list[str]:
    client = running.client()
    found = client.containers.list(all=True, filters={"label": HELPER_LABEL})
    client.close()
    return [str(container.status) for container in found]


@pytest.mark.engine
def test_a_helper_sees_what_a_process_in_the_namespace_sees(running: Running, lab: dict[str, Any]) -> None:
    """The neighbour answers with its name, its closed port and the other network do not, by both ways to ask."""
    aims: list[Aim] = [
        (_address(lab["b"]), 80, "tcp"),
        (_address(lab["b"]), 81, "tcp"),
        (_address(lab["c"]), 80, "tcp"),
        (_address(lab["a"]), 80, "tcp"),
    ]
    client = running.client()
    local = LocalSpace(f"/proc/{lab['a'].attrs['State']['Pid']}/ns/net").ask(aims, 2.0)
    joined = JoinedSpace(client.api, lab["a"].id, LOADER_IMAGE).ask(aims, 2.0)
    client.close()

    assert [answered for answered, _, _ in joined] == [answered for answered, _, _ in local]
    assert [answered for answered, _, _ in joined] == [True, False, False, True]
    assert "service:b/b" in joined[0][1]
    assert "service:a/a" in joined[3][1]
    assert _helpers(running) == []


@pytest.mark.engine
def test_a_helper_asks_for_names_as_a_process_in_the_namespace_does(
    running: Running, lab: dict[str, Any]
) -> None:
    """The engine knows a neighbour by its name; for a name outside, of a network without a way out, it has none."""
    client = running.client()
    spaces: list[Space] = [
        LocalSpace(f"/proc/{lab['a'].attrs['State']['Pid']}/ns/net"),
        JoinedSpace(client.api, lab["a"].id, LOADER_IMAGE),
    ]
    known = [space.name("own-b.one", 3.0) for space in spaces]
    outside = [space.name("nobody.lab.example", 2.0) for space in spaces]
    client.close()

    assert known == ["NOERROR", "NOERROR"]
    assert not set(outside) & FROM_OUTSIDE
    assert _helpers(running) == []


@pytest.mark.engine
def test_a_helpers_canary_answers_with_its_name(running: Running, lab: dict[str, Any]) -> None:
    """It passes the control, is heard by its neighbour more than once, and is gone afterwards."""
    client = running.client()
    there = JoinedSpace(client.api, lab["b"].id, LOADER_IMAGE)
    here = LocalSpace(f"/proc/{lab['a'].attrs['State']['Pid']}/ns/net")
    with canaries({TARGET: there}, PORT):
        assert _helpers(running) == ["running"]
        for _ in range(2):
            [(answered, text, _)] = here.ask([(_address(lab["b"]), PORT, "tcp")], 3.0)
            assert (answered, text.strip()) == (True, "canary service:b/b")
    client.close()

    assert _helpers(running) == []


@pytest.mark.engine
def test_helpers_are_removed_when_the_run_fails(running: Running, lab: dict[str, Any]) -> None:
    """An error inside the block, and a container that is not there, leave nothing behind."""
    client = running.client()
    there = JoinedSpace(client.api, lab["b"].id, LOADER_IMAGE)
    with pytest.raises(ValueError, match="on purpose"), there.canary(PORT, "x"):
        raise ValueError("on purpose")
    with pytest.raises(CannotEnter, match="beside nobody"):
        JoinedSpace(client.api, "nobody", LOADER_IMAGE).ask([("10.0.0.1", 80, "tcp")], 1.0)
    client.close()

    assert _helpers(running) == []


@pytest.mark.engine
def test_an_image_that_is_not_there_is_said(running: Running, lab: dict[str, Any]) -> None:
    """A probe pulls nothing onto somebody's machine."""
    client = running.client()
    with pytest.raises(CannotEnter, match=r"no helper could be made.*no-such-image"):
        JoinedSpace(client.api, lab["b"].id, "no-such-image:1").ask([("10.0.0.1", 80, "tcp")], 1.0)
    client.close()
