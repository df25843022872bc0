"""Packet filter rules between the ports of the fabric, replaced as a whole and at once.

What the rules say is not known here. Bridged packets reach them only with bridge netfilter (`br_netfilter`), which
is switched on in the fabric's namespace alone; the module itself is the machine's and is never loaded from here.
"""

from sandbox.checkout import cache_dir
from sandbox.fabric.kernel import FabricError, Kernel
from sandbox.guest_tools import GuestTools, guest_tools

BRIDGE_TABLE, IP_TABLE = "bridge proxmox", "inet proxmox"
_SWITCHES = ("net/bridge/bridge-nf-call-iptables", "net/bridge/bridge-nf-call-ip6tables")


class PortRules:
    """The rules of one fabric, of which it keeps a copy to load again.

    Args:
        kernel: bound to the checkout's prefix.
        namespace: the fabric's.
    """

    def __init__(self, kernel: Kernel, namespace: str) -> None:
        self._kernel = kernel
        self._namespace = namespace
        self._tools: GuestTools | None = None
        self._wanted: str | None = None
        self._is_loaded = True

    def set(self, definitions: str) -> None:
        """Take other rules; they are in force when this returns, or with the namespace.

        Args:
            definitions: of the two tables above; empty for no rules.

        Raises:
            FabricError: the kernel refuses them; the earlier ones stay in force.
        """
        self._wanted, self._is_loaded = definitions, False
        if self._kernel.exists(self._namespace):
            self.require()

    def forget_loaded(self) -> None:
        """The namespace is a new one, without rules."""
        self._is_loaded = self._wanted is None

    def require(self) -> None:
        """Return when the rules that are wanted are in force.

        Raises:
            FabricError: they cannot be.
        """
        if self._is_loaded or self._wanted is None:
            return
        if self._wanted:
            self._switch_on()
        if self._tools is None:
            self._tools = guest_tools(cache_dir())
        removed = "".join(f"table {table}\ndelete table {table}\n" for table in (BRIDGE_TABLE, IP_TABLE))
        self._kernel.load_rules(self._namespace, removed + self._wanted, self._tools)
        self._is_loaded = True

    def _switch_on(self) -> None:
        try:
            self._kernel.write_sysctls(self._namespace, [(switch, "1") for switch in _SWITCHES])
        except OSError as error:
            raise FabricError(
                f"the Proxmox firewall cannot be enforced: /proc/sys/{_SWITCHES[0]}: {error.strerror}; run "
                "`modprobe br_netfilter`, which is the machine's and not the sandbox's to load, then start the "
                "guest again"
            ) from None
