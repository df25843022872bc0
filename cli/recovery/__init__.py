"""What a killed engine left half done: found at the outside, and put into the state.

`state` reads and edits an exported state and asks nobody; `docker`, `proxmox`, `cloudflare` and `tailscale`
say what an object of a type is called and look it up. Nothing here creates, changes or deletes an object at
the outside: every question is a read, and what is only half there is marked, so that the engine replaces it.
"""
