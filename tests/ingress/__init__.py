"""The ingress as the real Traefik runs it, from the files that labs render, on loopback."""
