"""Tailscale's HTTP API: policy file, auth keys, devices, DNS and settings, over the sandbox's store."""
