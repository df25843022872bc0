"""A Docker Engine that runs nothing: the engine's API over records in the sandbox's store.

Used where no real engine can run (no root, no Linux) and by tests of everything that talks to an engine.
It checks names, addresses, pools and ports like a real one and says in `version` and `info` that it is
a simulation.
"""

from sandbox.docker.simulated.server import application

__all__ = ["application"]
