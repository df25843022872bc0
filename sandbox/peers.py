"""Peers of a running sandbox: what `python -m sandbox peer` checks before the fabric makes one."""

from typing import Any

from sandbox import lifecycle
from sandbox.checkout import Checkout
from sandbox.errors import SandboxError
from sandbox.fabric.kernel import Kernel
from sandbox.fabric.peers import Peer, Peers
from sandbox.fabric.segments import Fabric


def put_peer(checkout: Checkout, segment: str, address: str) -> Peer:
    """Make somebody on a segment, or find the one that is there with this address.

    Args:
        checkout: whose sandbox runs.
        segment: its name in the fabric, such as `vmbr0.20`.
        address: with its length, `10.10.20.99/24`; no guest of the segment has it.

    Raises:
        SandboxError: why there can be none, with the repair.
    """
    guests = _running(checkout)["guests"]
    wanted = address.partition("/")[0]
    for guest in guests:
        for nic in guest["nics"]:
            if nic["segment"] == segment and (nic["address"] or "").partition("/")[0] == wanted:
                raise SandboxError(
                    f"{wanted} is the address of guest {guest['name']} on {segment}; give the peer another"
                )
    return _peers(checkout).put(segment, address)


def remove_peer(checkout: Checkout, segment: str) -> None:
    """Remove the peer of a segment.

    Raises:
        SandboxError: there is none.
    """
    _running(checkout)
    peers = _peers(checkout)
    known = ", ".join(peer.segment for peer in peers.listing()) or "none"
    if not peers.remove(segment):
        raise SandboxError(f"there is no peer on {segment}; there are peers on: {known}")


def _running(checkout: Checkout) -> dict[str, Any]:
    status = lifecycle.status(checkout)
    if not status["running"]:
        raise SandboxError("the sandbox is stopped; start it with `python -m sandbox start`")
    if status["simulated"]:
        raise SandboxError(
            f"there is nobody on a simulated network ({status['simulated']}); a peer needs a real one"
        )
    return status


def _peers(checkout: Checkout) -> Peers:
    kernel = Kernel(checkout.prefix)
    return Peers(kernel, Fabric(kernel))
