"""Traefik's files: everything it knows comes from here, and nothing from a Docker socket.

The static file names entry points, one for each audience, and where the dynamic file
lies; Traefik reads it once, so a change replaces the container. The dynamic file holds
routers, services and middlewares; Traefik watches it, so adding a route, or changing
what an audience's requests pass, restarts nothing (Traefik 3, file provider).
"""

from lab.render.traefik.dynamic import dynamic_configuration
from lab.render.traefik.static import DYNAMIC_DIRECTORY, ROUTES_MOUNT, static_configuration

__all__ = ["DYNAMIC_DIRECTORY", "ROUTES_MOUNT", "dynamic_configuration", "static_configuration"]
