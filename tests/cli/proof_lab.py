"""A lab for the verbs of the proof, and one call of the command `lab`."""

from pathlib import Path

from typer.testing import CliRunner, Result

from cli.app import app
from tests.support.builders import IMAGE, TRAEFIK

LAB = f"""\
domain: lab.example
vlans:
  services: {{id: 20, subnet: 10.10.20.0/24, internet: yes}}
  iot: {{id: 30, subnet: 10.10.30.0/24, internet: yes}}
router: {{kind: node}}
nodes:
  pve: {{address: 10.10.20.2}}
devices:
  tv: {{vlan: iot, address: 50, listens: [8009]}}
guests:
  docker-1: {{kind: vm, id: 101, node: pve, vlan: services, address: 11, runs: docker}}
stacks:
  web:
    host: docker-1
    services:
      app: {{image: {IMAGE}, listens: [80], needs: ["db:5432"], route: {{host: www, audience: [services]}}}}
      db: {{image: {IMAGE}, listens: [5432]}}
ingress: {{host: docker-1, image: {TRAEFIK}, audiences: {{services: {{port: 443}}}}}}
accept:
  - {{from: [guests, "vlan:services", nodes], to: "vlan:iot", because: the node filters nothing on the way}}
  - {{from: "vlan:iot", to: "vlan:services", because: the same}}
expect:
  - {{from: "device:tv", to: "stack:web", reach: no}}
"""


def placed(folder: Path, text: str = LAB, name: str = "Pulumi.test.yaml") -> Path:
    """A lab file in a folder."""
    path = folder / name
    path.write_text(text)
    return path


def run(*arguments: str) -> Result:
    """One call of the command."""
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)
