"""The real Traefik on loopback, with rendered files and a small internet around it."""
