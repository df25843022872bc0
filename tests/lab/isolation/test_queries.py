"""Questions in words: who and what they mean in a lab, and what is said of those that mean nothing."""

import pytest

from lab.errors import QueryError
from lab.flows import Endpoint, Port
from lab.isolation import Proof
from lab.isolation.queries import Queries
from tests.support.builders import guest, service, stack
from tests.support.proofs import proof, small_lab


@pytest.fixture(scope="module")
def lab() -> Proof:
    """A lab with one endpoint of every kind."""
    return small_lab()


@pytest.fixture(scope="module")
def queries(lab: Proof) -> Queries:
    """The questions that it can be asked."""
    return Queries(lab)


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("service:wiki/app", ["service:wiki/app"]),
        ("stack:wiki", ["service:wiki/app", "service:wiki/db"]),
        ("guests", ["guest:docker-1", "guest:siem"]),
        ("nodes", ["node:pve"]),
        ("set:screens", ["device:tv"]),
        ("tailnet", ["tailnet"]),
        ("tailnet:admins", ["tailnet:admins"]),
        ("ingress", ["ingress"]),
        ("operator", ["operator"]),
        ("internet", ["internet"]),
        ("vlan:iot", ["vlan:iot"]),
    ],
)
def test_an_endpoint_stands_for_its_members(queries: Queries, words: str, meant: list[str]) -> None:
    """Sets, stacks, guests and nodes are asked about one by one, everything else as itself."""
    assert [str(endpoint) for endpoint in queries.source(words)] == meant


def test_whoever_shares_a_host_is_asked_about_as_the_host() -> None:
    """A service on its host's network sends as the host; as somebody who is taken it stays itself."""
    found = Queries(proof(stacks={"web": stack(agent=service(host_network="yes", listens=[9100]))}))
    assert found.source("service:web/agent") == (Endpoint("guest", "docker-1"),)
    assert found.taken("service:web/agent") == (Endpoint("service", "web/agent"),)


@pytest.mark.parametrize(
    ("words", "ports"),
    [
        ("service:wiki/db", ()),
        ("service:wiki/db:5432", (Port(5432),)),
        ("service:wiki/db:53/udp", (Port(53, "udp"),)),
        ("service:wiki/db:8000-8010", (Port(8000, "tcp", 8010),)),
        ("service:wiki/db:other", (None,)),
        ("internet:443", (Port(443),)),
        ("tailnet:admins", ()),
    ],
)
def test_a_port_follows_the_endpoint(queries: Queries, words: str, ports: tuple[Port | None, ...]) -> None:
    """A target may have a port, a range or `other`; a group of the tailnet is no port."""
    assert queries.target(words).ports == ports


def test_without_a_port_every_known_one_is_asked(queries: Queries, lab: Proof) -> None:
    """A target without a port means each port of which the lab file speaks, and all others as one."""
    aim = queries.target("service:wiki/db")
    assert aim.ports_of(lab, aim.endpoints[0]) == (Port(5432), None)


def test_a_port_is_known_or_not(queries: Queries) -> None:
    """A port that nobody declared may be asked for, and is told from those that are."""
    database = Endpoint("service", "wiki/db")
    assert queries.is_known(database, Port(5432))
    assert queries.is_known(database, None)
    assert not queries.is_known(database, Port(1234))
    assert not queries.is_known(database, Port(5432, "udp"))


def test_a_port_of_a_range_is_known() -> None:
    """A port within a declared range is as known as the range."""
    found = Queries(
        small_lab(guests={"siem": guest(address=12, listens=["8000-8010"])}, stacks={}, ingress=None)
    )
    assert found.is_known(Endpoint("guest", "siem"), Port(8005))
    assert not found.is_known(Endpoint("guest", "siem"), Port(8011))


def test_pairs_leave_out_what_is_one_machine(queries: Queries) -> None:
    """Nobody is asked about itself."""
    found = queries.pairs(queries.source("guests"), queries.target("guests:22"))
    assert [(str(s), str(t)) for s, t, _ in found] == [
        ("guest:docker-1", "guest:siem"),
        ("guest:siem", "guest:docker-1"),
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("vlan:iott", '  - FROM: there is no vlan "iott"\n      repair: write "vlan:iot"'),
        ("vlan:iott:80", '  - FROM: there is no vlan "iott"\n      repair: write "vlan:iot"'),
        ("wiki/app", '  - FROM: "wiki/app" is not an endpoint\n      repair: write "service:wiki/app"'),
        ("siem", '  - FROM: "siem" is not an endpoint\n      repair: write "guest:siem"'),
        (
            "service:blog/ap",
            '  - FROM: there is no service "blog/ap"\n      repair: write "service:blog/app"',
        ),
        ("guest:tv", '  - FROM: there is no guest "tv"\n      repair: write "device:tv"'),
        (
            "device:zzz",
            '  - FROM: there is no device "zzz"\n      repair: use one of: tv',
        ),
        (
            "node:zzz",
            '  - FROM: there is no node "zzz"\n      repair: use one of: pve',
        ),
        (
            "tailnet:admin",
            '  - FROM: there is no tailnet group "admin"\n      repair: write "tailnet:admins"',
        ),
        (
            "set:nobody",
            "  - FROM: set:nobody stands for nobody in this lab\n      repair: name somebody who is in it",
        ),
        (
            "service:wiki/app:htpp",
            '  - FROM: "htpp" is not a port (in "service:wiki/app:htpp")\n'
            "      repair: write 443, 1900/udp or 8000-8010, or other",
        ),
        (
            "internet:https",
            '  - FROM: "https" is not a port (in "internet:https")\n'
            "      repair: write 443, 1900/udp or 8000-8010, or other",
        ),
        (
            "guest:siem:70000",
            '  - FROM: 70000 is not a port (in "guest:siem:70000")\n'
            "      repair: write a number from 1 to 65535, or other",
        ),
    ],
)
def test_words_without_a_meaning_are_refused(queries: Queries, words: str, said: str) -> None:
    """A question about nobody, or a port that is none, says what was meant most likely."""
    with pytest.raises(QueryError) as caught:
        queries.target(words, "FROM")
    assert str(caught.value) == f"the question has one problem\n{said}"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("ingress", "there is no ingress\n      repair: declare ingress, or name something else"),
        ("tailnet", "there is no tailnet\n      repair: declare tailnet, or name something else"),
        (
            "operator",
            "the lab file does not say where the operator is\n"
            "      repair: write operator: {vlan: …}, or name something else",
        ),
        ("nodes:22", None),
    ],
)
def test_what_a_lab_does_not_have_is_refused(words: str, said: str | None) -> None:
    """Endpoints without a name exist only where the lab has one."""
    found = Queries(proof())
    if said is None:
        assert found.target(words).endpoints == (Endpoint("node", "pve"),)
        return
    with pytest.raises(QueryError) as caught:
        found.target(words)
    assert str(caught.value).endswith(f"  - TO: {said}")


def test_source_and_target_are_two(queries: Queries) -> None:
    """A question about one machine and itself is refused, because no packet would leave it."""
    with pytest.raises(QueryError) as caught:
        queries.pairs(queries.source("device:tv"), queries.target("set:screens:80"))
    assert str(caught.value) == (
        "the question has one problem\n"
        "  - TO: device:tv is source and target, and what it sends itself leaves it by no network\n"
        "      repair: name two that are not one machine"
    )
