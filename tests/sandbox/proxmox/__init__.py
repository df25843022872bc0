"""The sandbox's Proxmox VE API."""
