"""Names of segments and ports, and the refusal of names that are not the checkout's."""

import pytest

from sandbox.fabric.kernel import Kernel
from sandbox.fabric.segments import LONGEST_LINK_NAME, port_name, segment_name
from sandbox.proxmox.guests import GuestSpec


def test_each_tag_is_a_segment_of_its_own() -> None:
    """Bridge and tag give the name; no tag is the bridge itself."""
    assert (segment_name("vmbr0", 20), segment_name("vmbr0", None)) == ("vmbr0.20", "vmbr0")


def test_long_names_fit_the_kernel_and_stay_distinct() -> None:
    """Two long bridges that share their beginning are two segments, and both names fit."""
    names = {segment_name(f"averylongbridge{n}", 4000) for n in range(10)}
    assert len(names) == 10
    assert all(len(name) <= LONGEST_LINK_NAME for name in names)


@pytest.mark.parametrize(("kind", "name"), [("qemu", "tap201i1"), ("lxc", "veth201i1")])
def test_ports_are_named_as_on_proxmox(kind: str, name: str) -> None:
    """The fabric's end of a NIC has the name that Proxmox VE gives it."""
    guest = GuestSpec(kind=kind, vmid=201, name="g", node="n", nics=(), bootstrap=None)  # type: ignore[arg-type]
    assert port_name(guest, 1) == name


def test_a_foreign_namespace_is_never_touched() -> None:
    """A name without the checkout's prefix is refused before any command runs."""
    kernel = Kernel("hl-abcdef-", ip="/no/such/program")
    for change in (kernel.add, kernel.delete, kernel.kill_processes):
        with pytest.raises(ValueError, match="namespace other is not one of hl-abcdef-"):
            change("other")
    with pytest.raises(ValueError, match="is not one of"):
        kernel.batch("other", ["link set lo up"])
