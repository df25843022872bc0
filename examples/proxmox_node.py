"""One Proxmox VE host: a VLAN-aware bridge and the resolver that it uses."""

import pulumi
import pulumi_proxmoxve

from components import ProxmoxNode, ProxmoxNodeArgs
from lab.plan.records import NodePlan

token = pulumi.Config().require_secret("proxmox-token")
api = pulumi_proxmoxve.Provider("proxmox", endpoint="https://pve.example.org:8006", api_token=token)
node = NodePlan(
    name="pve",
    address="10.10.10.11",
    bridge="vmbr1",
    creates_bridge=True,
    dns=("10.10.10.1",),
    domain="example.org",
)
made = ProxmoxNode("pve", ProxmoxNodeArgs(node=node), pulumi.ResourceOptions(providers=[api]))
pulumi.export("bridge", made.bridge)
