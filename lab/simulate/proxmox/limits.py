"""What the evaluator of the Proxmox VE firewall does not model, for a proof to print."""

NOT_MODELLED: tuple[str, ...] = (
    "Whether there is a way at all: bridges, VLAN tags and routes are not looked at; only what firewalls on"
    " the way decide. Between two bridges or VLANs the router decides first.",
    "The nftables-based firewall (`nftables: 1`) is refused: rules of direction FORWARD, policy_forward and"
    " rules of VNets count only there, and it treats REJECT and known connections otherwise.",
    "Packets that connection tracking calls invalid, and TCP packets that open no connection: Proxmox drops"
    " the first unless `nf_conntrack_allow_invalid: 1`, the second under a closing policy.",
    "`tcpflags: 1` and `protection_synflood: 1`, which drop more, never less.",
    "Connections that stay open after a rule closed their path: a known connection passes every chain.",
    "Related connections, among them those that `nf_conntrack_helpers` opens.",
    "Layer 2: the filter for ARP and MAC addresses by ebtables, and protocols other than IPv4 and IPv6.",
    "The smurf filter knows multicast and 255.255.255.255 as sources, not the broadcast addresses of the"
    " node's networks, and nothing of IPv6.",
    "Directed broadcasts and anycast as destinations, unless the packet says so.",
    "Rules of iptables that others than pve-firewall loaded, and a firewall service that does not run.",
    "Start and migration: the moments between a NIC's start and the rules for it.",
    "Bridge netfilter is taken to be on, as pve-firewall sets it.",
    "Names of services instead of port numbers, and macros that are not in the list, are refused.",
    "For IPv6 no verdict of Proxmox was at hand: neighbour discovery follows its documentation; DHCPv6,"
    " the critical ICMPv6 types and what REJECT answers follow IPv4's rules and are unconfirmed.",
    "Corosync's own rules follow the verdicts of one two-ring cluster: udp 5404 to 5405 between nodes on the"
    " same ring, or to multicast.",
    "Rate limits and priorities of NICs, and links that are down.",
)
