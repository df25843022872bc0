"""The Proxmox guest firewall at the ports of the fabric: what the API holds becomes rules of this kernel.

`reading` resolves the configuration, `nft` writes it as rules, `enforcement` keeps them in force. What it leaves
out is in `limits`.
"""
