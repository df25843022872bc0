"""Who may do what: users, groups, API tokens, roles, access control lists and pools of Proxmox VE."""
