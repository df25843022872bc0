"""Ten clients of each API at once: nothing is lost, nothing is given twice, nothing is seen half-written."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from aiohttp import web

from sandbox.cloudflare import server as cloudflare
from sandbox.cloudflare.zones import zone_document
from sandbox.conformance.serving import served_on_loopback
from sandbox.proxmox import server as proxmox
from sandbox.proxmox.description import ApiDescription
from sandbox.store import Store
from sandbox.tailscale import server as tailscale
from tests.evidence.requests.writers import Client
from tests.sandbox.proxmox.doubles import TOKEN, RecordingHost
from tests.support.shared import shared_path

CLIENTS, ROUNDS = 10, 12
Work = Callable[[Client, int], Any]
"""What one of the clients does; it gets its number."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """State in a file, as the daemon keeps it."""
    found = Store(tmp_path / "state.sqlite")
    yield found
    found.close()


def at_once(app: web.Application, prefix: str, authorization: str, *works: Work) -> list[list[Any]]:
    """Let ten clients do one work after the other, all of them at the same one; what each of them gave."""

    def doing(base: str, number: int, work: Work) -> Any:
        with requests.Session() as session:
            session.trust_env = False
            session.headers["Authorization"] = authorization
            return work(Client(base + prefix, session), number)

    with served_on_loopback(app) as base, ThreadPoolExecutor(CLIENTS) as pool:
        return [list(pool.map(lambda n, work=work: doing(base, n, work), range(CLIENTS))) for work in works]


def status(client: Client, method: str, path: str, **options: Any) -> int:
    """The status alone, of a request that may be refused."""
    return client.session.request(method, client.base + path, timeout=10, **options).status_code


def test_cloudflare(store: Store) -> None:
    """Each record has its own id and stays; of equal ones a single one is taken; changes of two fields both stay."""
    app = cloudflare.application(store, token="t", zones=("example.org",))
    zone = zone_document("example.org")["id"]
    path = f"/zones/{zone}/dns_records"

    def create(client: Client, number: int) -> list[str]:
        bodies = [
            {"type": "A", "name": f"h{number}-{turn}", "content": "192.0.2.1", "ttl": 60}
            for turn in range(ROUNDS)
        ]
        return [client.ask("POST", path, json=body)["result"]["id"] for body in bodies]

    def same(client: Client, _: int) -> int:
        return status(client, "POST", path, json={"type": "TXT", "name": "one", "content": "x", "ttl": 60})

    def change(client: Client, number: int) -> None:
        record = client.ask("GET", f"{path}?type=TXT")["result"][0]["id"]
        change = {"comment": "kept"} if number % 2 else {"ttl": 300}
        client.ask("PATCH", f"{path}/{record}", json=change)

    def read(client: Client, _: int) -> Any:
        return client.ask("GET", f"{path}?per_page=5000")["result"]

    made, taken, _, read_back = at_once(app, "/client/v4", "Bearer t", create, same, change, read)
    ids = [one for many in made for one in many]
    (text,) = [record for record in read_back[0] if record["type"] == "TXT"]
    assert sorted(taken) == [200] + [400] * (CLIENTS - 1)
    assert {record["id"] for record in read_back[0]} == {*ids, text["id"]}
    assert len(set(ids)) == CLIENTS * ROUNDS
    assert (text["comment"], text["ttl"]) == ("kept", 300)


def test_tailscale(store: Store) -> None:
    """Domains of all clients stay; of writers that saw the same policy one wins; readers see whole configurations."""
    app = tailscale.application(store, key="k")
    here = "/tailnet/-"

    def split(client: Client, number: int) -> None:
        for turn in range(ROUNDS):
            client.ask("PATCH", f"{here}/dns/split-dns", json={f"d{number}-{turn}.example": ["10.0.0.1"]})

    def read(client: Client, _: int) -> Any:
        return client.ask("GET", f"{here}/dns/split-dns")

    def policy(client: Client, number: int) -> int:
        text, match = f'{{"tagOwners": {{"tag:c{number}": []}}}}', {"If-Match": '"ts-default"'}
        return status(client, "POST", f"{here}/acl", data=text, headers=match)

    def keys(client: Client, _: int) -> list[str]:
        body: dict[str, Any] = {"capabilities": {"devices": {"create": {}}}}
        return [client.ask("POST", f"{here}/keys", json=body)["id"] for _ in range(ROUNDS)]

    def whole(client: Client, number: int) -> None:
        for turn in range(ROUNDS):
            name = f"w{number}-{turn}.example"
            client.ask(
                "POST",
                f"{here}/dns/configuration",
                json={"searchPaths": [name], "splitDNS": {name: ["10.0.0.1"]}},
            )
            found = client.ask("GET", f"{here}/dns/configuration")
            assert found["searchPaths"] == list(found["splitDNS"])

    _, seen, won, made, _ = at_once(app, "/api/v2", "Bearer k", split, read, policy, keys, whole)
    assert len(seen[0]) == CLIENTS * ROUNDS
    assert sorted(won) == [200] + [412] * (CLIENTS - 1)
    assert len({one for many in made for one in many}) == CLIENTS * ROUNDS


def test_proxmox(store: Store) -> None:
    """One of ten gets the VM id, disks and tasks are each their own, and every alias and rule of a scope stays."""
    description = ApiDescription.load(shared_path("schemas/pve-apidoc.json"))
    app = proxmox.application(store, token=TOKEN, description=description, guests=RecordingHost())
    here, wall = "/nodes/pve-a", "/cluster/firewall"

    def same(client: Client, _: int) -> int:
        return status(client, "POST", f"{here}/qemu", data={"vmid": 100, "scsi0": "local-lvm:1"})

    def own(client: Client, number: int) -> list[str]:
        bodies = [{"vmid": 200 + 20 * number + turn, "scsi0": "local-lvm:1"} for turn in range(ROUNDS)]
        return [client.ask("POST", f"{here}/qemu", data=body)["data"] for body in bodies]

    def aliases(client: Client, number: int) -> None:
        for turn in range(ROUNDS):
            client.ask("POST", f"{wall}/aliases", data={"name": f"a{number}-{turn}", "cidr": "10.0.0.1"})
            client.ask(
                "POST",
                f"{wall}/rules",
                data={"type": "in", "action": "ACCEPT", "comment": f"{number}-{turn}"},
            )

    def read(client: Client, _: int) -> list[Any]:
        paths = (f"{here}/storage/local-lvm/content", f"{wall}/aliases", f"{wall}/rules")
        return [client.ask("GET", path)["data"] for path in paths]

    won, tasks, _, seen = at_once(app, "/api2/json", f"PVEAPIToken={TOKEN}", same, own, aliases, read)
    disks, names, rules = seen[0]
    assert sorted(won) == [200] + [500] * (CLIENTS - 1)
    assert len({one for many in tasks for one in many}) == CLIENTS * ROUNDS
    assert len({disk["volid"] for disk in disks}) == CLIENTS * ROUNDS + 1
    assert len(names) == CLIENTS * ROUNDS
    assert len({rule["comment"] for rule in rules}) == CLIENTS * ROUNDS
    assert [rule["pos"] for rule in rules] == list(range(CLIENTS * ROUNDS))
