"""The Proxmox VE firewall, evaluated: firewall files, NICs of guests and a packet, to a verdict with its reason.

It follows the documentation of Proxmox VE 9, the verdicts of pve-firewall's own tests and one set of
rules that its compiler made; no code of Proxmox is in it. What it leaves out is in `NOT_MODELLED`.
"""

from lab.simulate.proxmox.firewall import Firewall
from lab.simulate.proxmox.limits import NOT_MODELLED
from lab.simulate.proxmox.packet import Decision, Packet
from lab.simulate.proxmox.read import read_firewall
from lab.simulate.proxmox.reading import FirewallError

__all__ = ["NOT_MODELLED", "Decision", "Firewall", "FirewallError", "Packet", "read_firewall"]
