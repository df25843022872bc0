"""Stand-ins for the official Pulumi resource plugins, as processes that speak Pulumi's provider protocol.

A package (docker, cloudflare, tailscale, proxmoxve) is one description: its configuration, the properties of
its
resource types, and the calls that each type makes. Everything else (the gRPC service, Check, Diff, previews
with
unknown values, secrets, refresh) is written once, in this folder. Unknown and unsupported properties are
errors,
and every endpoint but this checkout's sandbox is refused.
"""
