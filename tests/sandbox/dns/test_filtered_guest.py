"""The Proxmox firewall at a guest's port, and names: the guest's own rules decide, the router's port has none."""

from collections.abc import Iterator

import dns.exception
import dns.message
import dns.query
import dns.rcode
import pytest

from sandbox.fabric.kernel import inside
from tests.sandbox.portfilter.ground import Running, running

pytestmark = pytest.mark.engine
GATEWAY = "10.10.20.1"


@pytest.fixture
def sandbox() -> Iterator[Running]:
    """A running sandbox whose cluster's firewall is on."""
    with running() as own:
        own.api.ok("PUT", "cluster/firewall/options", enable=1)
        yield own


def test_a_guests_own_rules_decide_whether_it_asks(sandbox: Running) -> None:
    """Nothing comes in, and its queries are answered all the same, unless they may not leave."""
    firewall = sandbox.guest(201, f"10.10.20.11/24,gw={GATEWAY}")

    def answered(*, tcp: bool) -> bool:
        query = dns.message.make_query("lab.example", "SOA")
        ask = dns.query.tcp if tcp else dns.query.udp
        try:
            answer = inside(sandbox.namespace("vm201"), lambda: ask(query, GATEWAY, timeout=1))
        except (dns.exception.Timeout, OSError):
            return False
        # No zone is there.
        return answer.rcode() == dns.rcode.REFUSED

    for policy, heard in (("ACCEPT", True), ("DROP", False)):
        sandbox.api.ok("PUT", f"{firewall}/options", enable=1, policy_in="DROP", policy_out=policy)
        assert [answered(tcp=tcp) for tcp in (False, True)] == [heard, heard]
