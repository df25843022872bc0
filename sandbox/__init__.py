"""The outside world on one machine: APIs, guests, engines, each private to one checkout.

It stands in for Proxmox VE, Cloudflare, Tailscale and the Docker hosts of a lab, so that the real program can
run without hardware or accounts. It sees only what arrives through its APIs: it imports nothing of the
program, and may be deleted without touching a real lab. It listens on loopback and inside its own network
namespaces only.
"""
