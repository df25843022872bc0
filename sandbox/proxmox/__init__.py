"""Proxmox VE 9.2 as the sandbox plays it: its HTTPS API over guests that are network namespaces."""
