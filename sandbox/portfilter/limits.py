"""What of the Proxmox firewall the sandbox takes at its API and does not enforce, for a person to read."""

NOT_ENFORCED: tuple[str, ...] = (
    "rules of nodes and of the cluster itself, and their policies: nodes have no network here",
    "rules of type forward, `policy_forward` and the node's `nftables: 1`: rules count as without it, and then "
    "Proxmox VE skips rules of type forward as well",
    "`ebtables`: ARP and other protocols than IPv4 and IPv6 pass unfiltered",
    "`log`, `log_level_*` and `log_ratelimit`: no packet is logged",
    "the node's `tcpflags`, `protection_synflood*`, `nf_conntrack_*` and `log_nf_conntrack`",
    "the network of the nodes in IP set `management`, unless alias `local_network` names it",
    "IP sets of SDN (`+sdn/...`): a rule that names one is skipped",
    "REJECT over IPv6: such a packet is dropped without an answer",
    "a NIC that moves to another bridge or tag while its guest runs: it moves at the next start",
)
