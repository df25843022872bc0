"""The stand-in for the proxmoxve plugin: a lab's types over the sandbox's Proxmox VE API."""
