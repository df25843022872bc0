"""The stand-in for the proxmoxve plugin, against the recordings and against the sandbox's API."""
