"""Which paths a change of a lab opens and closes, and why."""

from typing import Any

import pytest

from lab.isolation import Proof
from lab.isolation.difference import Change, Difference, difference, open_paths, read, why_closed, written
from tests.support.builders import guest, ingress, route, service, stack
from tests.support.proofs import small_lab

DATABASE = {"listens": [5432]}


def wiki(*, needs: list[str], audience: str = "services") -> dict[str, Any]:
    """The stack of a wiki whose application needs these."""
    return {
        "wiki": stack(
            app=service(listens=[80], needs=needs, route=route("wiki", audience)), db=service(**DATABASE)
        ),
        "blog": stack(app=service(listens=[8080])),
    }


def between(before: Proof, after: Proof) -> Difference:
    """What changes from one lab to the other."""
    return difference(open_paths(before), open_paths(after), lambda key: why_closed(after, key))


def told(changes: tuple[Change, ...]) -> dict[str, str]:
    """Changes in one line each, with their reason."""
    return {f"{c.source} -> {c.target}:{c.port} {c.before} {c.after}": c.reason for c in changes}


def test_the_same_lab_is_no_difference() -> None:
    """Nothing opens and nothing closes where nothing changed, and that counts as false."""
    found = between(small_lab(), small_lab())
    assert (found.opened, found.closed, found.changed) == ((), (), ())
    assert not found


def test_a_new_need_opens_its_path() -> None:
    """A service that needs another one opens exactly that path, because it needs it."""
    found = between(small_lab(stacks=wiki(needs=[])), small_lab(stacks=wiki(needs=["db:5432"])))
    assert told(found.opened) == {"service:wiki/app -> service:wiki/db:5432/tcp no yes": "wiki/app needs it"}
    assert (found.closed, found.changed) == ((), ())
    assert found


def test_a_need_that_is_gone_closes_its_path() -> None:
    """The other way round it closes, and the reason is what closes it now."""
    found = between(small_lab(stacks=wiki(needs=["db:5432"])), small_lab(stacks=wiki(needs=[])))
    (line, reason), *others = told(found.closed).items()
    assert (line, others) == ("service:wiki/app -> service:wiki/db:5432/tcp yes no", [])
    assert reason == "the guard of docker-1 drops what no rule accepts within a network"


def test_an_end_that_is_gone_closes_its_paths() -> None:
    """Paths of a service that is removed close because it is not there any more."""
    after = {"wiki": wiki(needs=[])["wiki"]}
    after["wiki"]["services"].pop("db")
    found = told(between(small_lab(), small_lab(stacks=after)).closed)
    assert (
        found["service:wiki/app -> service:wiki/db:5432/tcp yes no"]
        == "service:wiki/db is not there any more"
    )


def test_requests_through_the_ingress_are_paths_of_their_own() -> None:
    """A route for another audience opens and closes what the ingress passes on, also for the internet."""
    both = ingress(audiences={"services": {"port": 443}, "internet": {"port": 8443}})
    lab: dict[str, Any] = {"router": {"kind": "unifi"}, "ingress": both}
    before = small_lab(stacks=wiki(needs=[]), **lab)
    after = small_lab(stacks=wiki(needs=[], audience="internet"), **lab)
    found = between(before, after)
    passed = "service:wiki/app:80/tcp by the ingress"
    assert told(found.changed)[f"internet -> {passed} no cannot tell"]
    assert told(found.closed)[f"vlan:services -> {passed} yes no"]


def test_a_route_that_is_gone_is_told() -> None:
    """Where no route leads any more, that is why requests are not passed on."""
    stacks = {"wiki": stack(app=service(listens=[80], needs=["db:5432"]), db=service(**DATABASE))}
    stacks["blog"] = stack(app=service(listens=[8080], route=route("blog", "services")))
    found = told(between(small_lab(), small_lab(stacks=stacks)).closed)
    key = "vlan:services -> service:wiki/app:80/tcp by the ingress yes no"
    assert found[key] == "no route of the ingress leads there"


def test_a_doubt_is_neither_open_nor_closed() -> None:
    """What becomes uncertain, or was, is told apart."""
    found = between(small_lab(), small_lab(router={"kind": "unifi"}))
    assert not found.opened
    assert "device:tv -> operator:other no cannot tell" in told(found.changed)
    back = between(small_lab(router={"kind": "unifi"}), small_lab())
    assert "device:tv -> operator:other cannot tell no" in told(back.closed)


def test_a_violation_that_opens_says_so() -> None:
    """What opens and nobody declared is told as that."""
    found = told(between(small_lab(), small_lab(router={"kind": "node"})).opened)
    assert found["device:tv -> operator:other no yes"].startswith("nobody declared it: ")


def test_placement_is_no_path_that_opens() -> None:
    """Neighbours on a segment and a Docker host's own containers are left out; a published port is its container."""
    keys = set(open_paths(small_lab()))
    assert not {key for key in keys if key[0] == "guest:docker-1" and key[1] == "service:blog/app"}
    assert ("vlan:services", "ingress", "443/tcp") in keys
    assert ("vlan:services", "guest:docker-1", "443/tcp") not in keys
    assert ("vlan:services", "operator", "other") not in keys


def test_a_port_of_a_host_behind_which_nobody_answers_is_the_hosts() -> None:
    """Only a port at which a container answers is told as the container's."""
    found = small_lab(
        guests={"docker-1": guest(address=11, runs="docker"), "siem": guest(address=12)},
        flows=[{"from": "guest:siem", "to": "guest:docker-1:9100", "because": "figures"}],
    )
    assert ("guest:siem", "guest:docker-1", "9100/tcp") in open_paths(found)


def test_a_port_that_is_no_longer_spoken_of_is_as_the_others() -> None:
    """Nothing closes for whom every other port stays as it was, because a flow of somebody else is gone; nor opens."""
    played = [{"from": "guest:docker-1", "to": "internet:9999", "because": "a game"}]
    bare, asking = (small_lab(router={"kind": "unifi"}, flows=flows) for flows in ([], played))
    opened = between(bare, asking)
    assert (told(opened.opened), told(opened.changed)) == ({}, {})
    assert not between(asking, bare).closed


def test_rows_survive_being_written() -> None:
    """What is kept in the stack's output is read as it was, without reasons, and is no difference to itself."""
    paths = open_paths(small_lab(router={"kind": "unifi"}))
    rows = written(paths)
    assert rows == sorted(rows)
    assert {"yes", "cannot tell"} == {row.split(" | ")[3] for row in rows}
    assert not difference(read(rows), paths)


@pytest.mark.parametrize("row", ["a | b | 80/tcp", "a | b | 80/tcp | maybe", ["a", "b", "80/tcp", "yes"], 5])
def test_rows_of_another_shape_are_refused(row: Any) -> None:
    """A row that is not source, target, port and verdict is an error, never ignored."""
    with pytest.raises(ValueError, match=r"unpack|Verdict"):
        read([row])
