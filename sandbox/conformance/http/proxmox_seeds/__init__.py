"""How the things that a recorded conversation with Proxmox VE met are made, by what they belong to."""
