"""One segment that accepts SSH from the operator's segment and nothing else."""

import pulumi
import pulumi_proxmoxve

from components import Vlan, VlanArgs
from lab.plan.records import RulePlan, VlanPlan

token = pulumi.Config().require_secret("proxmox-token")
api = pulumi_proxmoxve.Provider("proxmox", endpoint="https://pve.example.org:8006", api_token=token)
ssh = RulePlan(source="10.10.10.0/24", port="22", protocol="tcp", comment="the operator")
vlan = VlanPlan(name="services", subnet="10.10.20.0/24", tag=20, rules=(ssh,))
made = Vlan("vlan-services", VlanArgs(vlan=vlan), pulumi.ResourceOptions(providers=[api]))
pulumi.export("security_group", made.security_group)
