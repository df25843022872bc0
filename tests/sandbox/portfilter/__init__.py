"""The Proxmox guest firewall at the fabric's ports: the compiler, and real packets."""
