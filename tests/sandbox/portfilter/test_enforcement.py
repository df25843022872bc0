"""Who is told what when the API's state changes, and what is said when the kernel refuses."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.errors import SandboxError
from sandbox.portfilter.enforcement import Enforcement
from sandbox.portfilter.limits import NOT_ENFORCED
from sandbox.portfilter.report import report
from sandbox.proxmox import firewall, records
from sandbox.store import Store
from tests.sandbox.portfilter.state import guest, rule, scope, write

DOCS = Path(__file__).resolve().parents[3] / "docs" / "sandbox.md"


class Fabric:
    """Remembers the rules that it was given; `refuse` is the text of the error that it raises instead."""

    def __init__(self) -> None:
        self.given: list[str] = []
        self.refuse = ""

    def filter(self, rules: str) -> None:
        """Take rules."""
        if self.refuse:
            raise SandboxError(self.refuse)
        self.given.append(rules)


@pytest.fixture
def store() -> Iterator[Store]:
    """The state of an API with one guest whose firewall is on."""
    own = Store(":memory:")
    write(own, guest(201), scopes={"cluster": scope(), "guest/201": scope()})
    yield own
    own.close()


@pytest.fixture
def fabric() -> Fabric:
    """Where rules go."""
    return Fabric()


@pytest.fixture
def enforcement(store: Store, fabric: Fabric) -> Enforcement:
    """It has begun."""
    own = Enforcement(store, fabric.filter)
    own.start()
    return own


def _put(store: Store, key: str, document: object) -> None:
    with store.transaction() as t:
        t.put(firewall.COLLECTION, key, document)


def test_it_starts_with_what_is_there(enforcement: Enforcement, fabric: Fabric) -> None:
    """Before anybody changes anything."""
    assert len(fabric.given) == 1
    assert "chain tap201i0-IN" in fabric.given[0]
    assert enforcement.listing()["ports"] == ["tap201i0"]


def test_a_change_is_in_force_when_its_transaction_is_over(
    enforcement: Enforcement, fabric: Fabric, store: Store
) -> None:
    """And rules are not loaded again where nothing that is filtered has changed."""
    _put(store, "guest/201", scope(rule("in", "ACCEPT", proto="tcp", dport="443")))
    assert "tcp dport 443 accept" in fabric.given[-1]
    _put(store, "guest/201", scope(rule("in", "ACCEPT", proto="tcp", dport="443", comment="why")))
    with store.transaction() as t:
        records.save(t, guest(201) | {"running": True})
    assert len(fabric.given) == 2
    with store.transaction() as t:
        records.save(t, guest(202))
    assert "chain tap202i0-IN" in fabric.given[-1]
    _put(store, "cluster", scope(enable=0))
    assert fabric.given[-1] == ""
    assert not enforcement.listing()["enabled"]


def test_what_is_refused_is_said_and_tried_again(
    enforcement: Enforcement, fabric: Fabric, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """In the log and in the listing, until it is in force; the caller of the API is not told, as on Proxmox VE."""
    fabric.refuse = "no such module"
    _put(store, "guest/201", scope(policy_in="ACCEPT"))
    assert "the Proxmox firewall is not in force as configured: no such module" in caplog.text
    assert (enforcement.listing()["enforced"], enforcement.listing()["problem"]) == (False, "no such module")
    fabric.refuse = ""
    assert enforcement.listing()["enforced"]
    assert len(fabric.given) == 2


def test_a_refused_change_that_is_taken_back_is_no_problem(
    enforcement: Enforcement, fabric: Fabric, store: Store
) -> None:
    """The rules of before are put in force again, because the fabric was left wanting others."""
    fabric.refuse = "no such module"
    _put(store, "guest/201", scope(policy_in="ACCEPT"))
    fabric.refuse = ""
    _put(store, "guest/201", scope())
    assert enforcement.listing()["enforced"]
    assert fabric.given == [fabric.given[0]] * 2


def test_the_sandbox_does_not_start_unfiltered(store: Store, fabric: Fabric) -> None:
    """What cannot be in force at the start stops it."""
    fabric.refuse = "no such module"
    with pytest.raises(SandboxError, match="no such module"):
        Enforcement(store, fabric.filter).start()


def test_what_has_no_effect_is_logged_once(
    enforcement: Enforcement, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """Not again with every change."""
    for port in ("1", "2"):
        _put(
            store,
            "guest/201",
            scope(rule("in", "ACCEPT", source="gone"), rule("in", "DROP", dport=port, proto="tcp")),
        )
    sentence = "guest 201 rule 0 is skipped: gone does not exist"
    assert enforcement.listing()["ignored"] == [sentence]
    assert caplog.text.count(sentence) == 1


def test_a_simulated_network_enforces_nothing() -> None:
    """And says so, with what would not be enforced anyway."""
    found = report("there are no packets")
    assert (found["enforced"], found["problem"], found["ports"]) == (False, "there are no packets", [])
    assert found["not_enforced"] == list(NOT_ENFORCED)


@pytest.mark.parametrize("sentence", NOT_ENFORCED)
def test_the_page_says_what_is_not_enforced(sentence: str) -> None:
    """docs/sandbox.md has each line of the list."""
    page = " ".join(DOCS.read_text().split())
    assert f"- {sentence}" in page
