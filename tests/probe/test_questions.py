"""Which questions a lab is asked, at which addresses, and what the proof expects of them."""

from collections.abc import Iterable
from functools import cache

from lab.flows import Endpoint, Port
from lab.isolation import Proof, Verdict
from probe.questions import Question, questions
from tests.support.builders import ingress, route, service, stack
from tests.support.proofs import open_node, small_lab

CANARY = 47001
APP, DB, BLOG = (Endpoint("service", name) for name in ("wiki/app", "wiki/db", "blog/app"))
INGRESS, HOST = Endpoint("ingress"), Endpoint("guest", "docker-1")


@cache
def _small() -> Proof:
    return small_lab()


def _asked(*present: Endpoint, proof: Proof | None = None) -> tuple[Question, ...]:
    return questions(proof or _small(), present, CANARY)


def _one(asked: Iterable[Question], source: Endpoint, target: Endpoint, what: str) -> Question:
    [found] = [q for q in asked if (q.source, q.target, q.what) == (source, target, what)]
    return found


def test_every_ordered_pair_is_asked_about_every_port_and_two_that_nobody_declared() -> None:
    """Nobody is asked about itself; the others about what listens, and about one more port over TCP and UDP."""
    asked = {(str(q.source), str(q.target), q.what) for q in _asked(APP, DB, BLOG)}
    own = {APP: "80/tcp", DB: "5432/tcp", BLOG: "8080/tcp"}
    expected = {
        (str(source), str(target), what)
        for source in own
        for target in own
        if source != target
        for what in (own[target], "other/tcp", "other/udp")
    }

    assert asked == expected


def test_who_is_not_present_is_neither_source_nor_target() -> None:
    """Only endpoints that have a namespace here can be asked, and an unknown one of the plan is left out."""
    named = {str(end) for q in _asked(APP, DB) for end in (q.source, q.target)}

    assert named == {"service:wiki/app", "service:wiki/db"}


def test_the_order_of_those_present_does_not_matter() -> None:
    """Two runs ask the same questions in the same order."""
    assert _asked(APP, DB, BLOG) == _asked(BLOG, APP, DB)


def test_a_need_is_expected_with_its_reason() -> None:
    """The application needs its database, and a need is a flow."""
    question = _one(_asked(APP, DB), APP, DB, "5432/tcp")

    assert (question.expected, question.kind) == (Verdict.yes, "flow")
    assert question.because == "wiki/app needs it"
    assert (question.port, question.protocol) == (Port(5432), "tcp")


def test_the_way_back_is_closed_by_the_guard() -> None:
    """The database does not need the application, and what closes the way is named."""
    question = _one(_asked(APP, DB), DB, APP, "80/tcp")

    assert (question.expected, question.kind) == (Verdict.no, "")
    assert question.because == "the guard of docker-1 drops what no rule accepts within a network"


def test_two_stacks_have_nothing_in_common() -> None:
    """One stack never reaches the database of another."""
    question = _one(_asked(BLOG, DB), BLOG, DB, "5432/tcp")

    assert question.expected is Verdict.no
    assert "no network in common" in question.because


def test_a_service_is_asked_at_every_address_that_it_has() -> None:
    """A service behind Traefik has one address on its edge and one in its stack."""
    plan = _small().plan
    attachments = next(s for part in plan.stacks for s in part.services if s.endpoint == APP).attachments

    assert len(attachments) == 2
    assert _one(_asked(APP, DB), DB, APP, "80/tcp").aims == tuple((a.address, 80) for a in attachments)


def test_a_canary_is_asked_at_its_own_port() -> None:
    """A port that nobody declared is the canary's, over TCP and UDP, and is closed to the ingress."""
    asked = _asked(INGRESS, APP)
    for protocol in ("tcp", "udp"):
        question = _one(asked, INGRESS, APP, f"other/{protocol}")
        assert (question.port, question.protocol, question.expected) == (None, protocol, Verdict.no)
        assert {number for _, number in question.aims} == {CANARY}


def test_a_published_port_is_also_asked_at_its_host() -> None:
    """What is published can be tried at the host's address and at every gateway of the source."""
    aims = _one(_asked(INGRESS, BLOG), BLOG, INGRESS, "443/tcp").aims

    assert ("10.10.20.11", 443) in aims
    assert ("10.128.0.1", 443) in aims


def test_the_external_number_is_asked_where_it_differs() -> None:
    """At the host a published port has its outer number, at the container its inner one."""
    proof = small_lab(ingress=ingress(audiences={"services": {"port": 9443}}))
    [published] = proof.reach.directory.containers[INGRESS].service.published
    inner = Port(published.internal)
    aims = _one(_asked(INGRESS, BLOG, proof=proof), BLOG, INGRESS, str(inner)).aims

    assert ("10.10.20.11", 9443) in aims
    own = proof.reach.directory.containers[INGRESS].service.attachments
    assert all((attachment.address, published.internal) in aims for attachment in own)


def test_nobody_else_is_asked_at_the_gateways() -> None:
    """A machine beside the Docker host has no gateway of a container's network."""
    aims = _one(
        _asked(Endpoint("vlan", "services"), INGRESS), Endpoint("vlan", "services"), INGRESS, "443/tcp"
    ).aims

    assert ("10.10.20.11", 443) in aims
    assert not any(address.endswith(".1") for address, _ in aims)


def test_a_docker_host_reaches_its_own_containers() -> None:
    """That is so whatever a guard says, and it has a name of its own."""
    question = _one(_asked(HOST, DB), HOST, DB, "5432/tcp")

    assert (question.expected, question.kind) == (Verdict.yes, "own host")


def test_a_container_does_not_reach_its_host() -> None:
    """The host is tried at its address and at the gateway of each network of the container."""
    question = _one(_asked(HOST, DB), DB, HOST, "other/tcp")

    assert question.expected is Verdict.no
    assert ("10.10.20.11", CANARY) in question.aims
    assert ("10.128.0.17", CANARY) in question.aims


def test_somebody_on_a_segment_is_a_source_and_no_target() -> None:
    """A segment has no address of its own at which it could be asked."""
    screens, services = Endpoint("vlan", "iot"), Endpoint("vlan", "services")
    asked = _asked(screens, services, HOST)

    assert {q.target for q in asked} == {HOST}
    assert _one(asked, services, HOST, "443/tcp").expected is Verdict.yes
    assert _one(asked, screens, HOST, "443/tcp").expected is Verdict.no


def test_a_path_of_which_nobody_can_tell_is_asked_all_the_same() -> None:
    """Whether a router that is not ours lets it through has to be seen."""
    tv = {"vlan": "iot", "address": 50, "listens": [8009]}
    proof = open_node(
        router={"kind": "unifi", "device": "gateway"},
        devices={"tv": tv, "gateway": {"vlan": "services", "address": 1}},
    )
    siem, screen = Endpoint("guest", "siem"), Endpoint("device", "tv")

    assert _one(_asked(siem, screen, proof=proof), siem, screen, "8009/tcp").expected is Verdict.unknown


def test_an_accepted_path_is_named_as_one() -> None:
    """A path that the lab file puts up with is expected, with its reason and not with the way that packets take."""
    proof = open_node(
        accept=[{"from": "guest:siem", "to": "device:tv", "because": "the node filters nothing yet"}]
    )
    siem, screen = Endpoint("guest", "siem"), Endpoint("device", "tv")
    question = _one(_asked(siem, screen, proof=proof), siem, screen, "8009/tcp")

    assert (question.expected, question.kind) == (Verdict.yes, "accepted")
    assert question.because == "the node filters nothing yet"


def test_a_range_of_ports_is_not_asked() -> None:
    """One number cannot stand for a range, so no question pretends that it does."""
    proof = small_lab(
        stacks={
            "wiki": stack(
                app=service(listens=[80], route=route("wiki", "services")), db=service(listens=[5432])
            ),
            "game": stack(app=service(listens=["4000-4010/udp", 80])),
        }
    )
    game = Endpoint("service", "game/app")

    assert {q.what for q in _asked(APP, game, proof=proof) if q.target == game} == {
        "80/tcp",
        "other/tcp",
        "other/udp",
    }


def test_a_peer_makes_a_segment_a_target() -> None:
    """Somebody who stands there has an address, at which containers and their host can try to reach the segment."""
    services = Endpoint("vlan", "services")
    asked = questions(_small(), [services, HOST, DB], CANARY, {services: "10.10.20.254"})

    for source, expected in ((DB, Verdict.no), (HOST, Verdict.yes)):
        question = _one(asked, source, services, "other/udp")
        assert (question.aims, question.expected) == ((("10.10.20.254", CANARY),), expected)
