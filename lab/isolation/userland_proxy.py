"""How a connection from a Docker network gets to a port that a container publishes on the host.

With the engine's userland proxy a process of the host accepts it, unless it comes from an
internal network. Without one the host translates the address and forwards, which Docker
allows within one network only.
"""

from lab.isolation.boxes import Box, Bridge
from lab.isolation.engine import Known, Rule
from lab.plan.records import PublishedPort


def passed_on(bridge: Bridge, source: Box, target: Box, publisher: Bridge, published: PublishedPort) -> Rule:
    """Whether Docker passes a connection on.

    Args:
        bridge: the network by which it comes.
        source: who asks.
        target: whose port it is.
        publisher: the network by which the port is published.
        published: the port.
    """
    # Its answer takes the short way, over the bridge; a datagram needs none, and to itself both are translated.
    unanswered = published.protocol == "tcp" and source.name != target.name

    def passes(known: Known) -> tuple[bool, str]:
        if bridge.internal:
            return False, f"Docker's isolation drops what leaves the internal network {bridge.name}"
        if known.userland_proxy:
            return True, "the engine's userland proxy accepts it on the host"
        if bridge != publisher:
            return False, "without a userland proxy Docker's isolation drops it between two networks"
        if not bridge.icc:
            return False, f"network {bridge.name} has inter-container communication off"
        if not known.bridge_netfilter and unanswered:
            return False, f"the answer of {target.name} comes past the host, which would have to translate it"
        return True, f"the engine sends it back into network {bridge.name}"

    return passes
