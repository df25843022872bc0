"""Clients that write to a running sandbox one request after the other, and know what must be there after a kill.

What was acknowledged is there; of the request that was under way everything is, or nothing.
"""

import time
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import requests

from sandbox import lifecycle
from sandbox.checkout import Checkout
from sandbox.environment import endpoints

NODE, VM, DISK = "pve-a", 201, "local-lvm:vm-201-disk-0"
SECONDS = 10.0


class Writer(Protocol):
    """A client of one API."""

    def write(self) -> None:
        """Change something; requests.RequestException where the sandbox is gone meanwhile."""

    def check(self) -> None:
        """Compare what is there with what was acknowledged, and go on from it."""

    def close(self) -> None:
        """Close its connections."""


@dataclass
class Client:
    """Requests to one API of a checkout."""

    base: str
    session: requests.Session

    def ask(self, method: str, path: str, **options: Any) -> Any:
        """The document of a request that must succeed."""
        answer = self.session.request(method, self.base + path, timeout=SECONDS, **options)
        assert answer.status_code == 200, (method, path, answer.status_code, answer.text)
        return answer.json()


def client(checkout: Checkout, api: str, credential: str, header: str) -> Client:
    """A client with the credential of an API; `header` is the form of its authorisation."""
    session = requests.Session()
    session.trust_env = False
    session.verify = str(checkout.ca_bundle)
    session.headers["Authorization"] = header.format(checkout.credential(credential))
    return Client(endpoints(checkout)[api], session)


class _Writer:
    """What all writers have: a client that is closed with them."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def close(self) -> None:
        """Close its connections."""
        self._client.session.close()


class CloudflareWriter(_Writer):
    """Creates, changes and deletes the records of a zone in turn."""

    def __init__(self, checkout: Checkout) -> None:
        super().__init__(client(checkout, "cloudflare", "cloudflare-token", "Bearer {}"))
        (zone,) = self._client.ask("GET", "/zones")["result"]
        self._path = f"/zones/{zone['id']}/dns_records"
        self._zone = zone["name"]
        self._ids: dict[str, str] = {}
        self._there: dict[str, str] = {}
        self._after: dict[str, str] = {}
        self._turn = 0

    def write(self) -> None:
        """A new record, then another content for the oldest, then its end, and over again."""
        self._turn += 1
        oldest, text = next(iter(self._there), None), f"text {self._turn}"
        if oldest is None or self._turn % 3 == 1:
            name = f"r{self._turn}.{self._zone}"
            self._after = self._there | {name: text}
            body = {"type": "TXT", "name": name, "content": text, "ttl": 60}
            self._ids[name] = self._client.ask("POST", self._path, json=body)["result"]["id"]
        elif self._turn % 3 == 2:
            self._after = self._there | {oldest: text}
            self._client.ask("PATCH", f"{self._path}/{self._ids[oldest]}", json={"content": text})
        else:
            self._after = {name: kept for name, kept in self._there.items() if name != oldest}
            self._client.ask("DELETE", f"{self._path}/{self._ids[oldest]}")
        self._there = self._after

    def check(self) -> None:
        """All records of the zone."""
        found = self._client.ask("GET", f"{self._path}?per_page=5000")["result"]
        shown = {record["name"]: record["content"] for record in found}
        assert len(found) == len(shown) == len({record["id"] for record in found})
        assert shown in (self._there, self._after), (shown, self._there, self._after)
        self._there, self._ids = shown, {record["name"]: record["id"] for record in found}


class TailscaleWriter(_Writer):
    """Writes the DNS of the tailnet as a whole, each of its parts with the number of the turn."""

    def __init__(self, checkout: Checkout) -> None:
        super().__init__(client(checkout, "tailscale", "tailscale-key", "Bearer {}"))
        self._turn = self._last = 0

    def write(self) -> None:
        """The next turn's configuration."""
        self._turn = self._last + 1
        name = f"n{self._turn}.example"
        body = {
            "searchPaths": [name],
            "splitDNS": {name: ["10.0.0.1"]},
            "nameservers": [f"10.0.0.{self._turn % 250}"],
        }
        self._client.ask("POST", "/api/v2/tailnet/-/dns/configuration", json=body)
        self._last = self._turn

    def check(self) -> None:
        """All parts are of the last turn, or of the one that was under way."""
        found = self._client.ask("GET", "/api/v2/tailnet/-/dns/configuration")
        turn = int(found["searchPaths"][0].removeprefix("n").partition(".")[0]) if found["searchPaths"] else 0
        assert turn in (self._last, self._turn)
        if turn:
            assert list(found["splitDNS"]) == found["searchPaths"]
            assert found["nameservers"][0]["address"] == f"10.0.0.{turn % 250}"
        self._last = turn


class ProxmoxWriter(_Writer):
    """Creates, starts, reboots, stops and destroys a VM with a disk, waiting for each task."""

    _LEFT: ClassVar = {
        "create": "stopped", "start": "running", "reboot": "running", "stop": "stopped", "destroy": "absent",
    }  # fmt: skip

    def __init__(self, checkout: Checkout) -> None:
        self._checkout = checkout
        super().__init__(client(checkout, "proxmox", "proxmox-token", "PVEAPIToken={}"))
        self._here = f"/api2/json/nodes/{NODE}"
        network = f"{self._here}/network"
        if not any(entry["iface"] == "vmbr0" for entry in self._client.ask("GET", network)["data"]):
            self._client.ask("POST", network, data={"iface": "vmbr0", "type": "bridge"})
            self._wait(self._client.ask("PUT", network)["data"])
        self._state = self._after = "absent"
        self._turn = 0

    def write(self) -> None:
        """The next act of the VM's life that is possible as it is."""
        possible = {
            "absent": ("create",), "stopped": ("start", "destroy"), "running": ("reboot", "stop"),
        }[self._state]  # fmt: skip
        act = possible[self._turn % len(possible)]
        self._turn += 1
        self._after = self._LEFT[act]
        vm = f"{self._here}/qemu/{VM}"
        if act == "create":
            body = {"vmid": VM, "name": "vm201", "net0": "virtio,bridge=vmbr0", "scsi0": "local-lvm:8"}
            upid = self._client.ask("POST", f"{self._here}/qemu", data=body)["data"]
        elif act == "destroy":
            upid = self._client.ask("DELETE", vm)["data"]
        else:
            upid = self._client.ask("POST", f"{vm}/status/{act}")["data"]
        self._wait(upid)
        self._state = self._after

    def check(self) -> None:
        """The VM is as it was or as it should become, has its disk, and the sandbox's own list agrees."""
        until = time.monotonic() + SECONDS
        while (found := self._found()) not in (self._state, self._after) or self._listed() != found:
            assert time.monotonic() < until, (found, self._listed(), self._state, self._after)
            time.sleep(0.05)
        volumes = self._client.ask("GET", f"{self._here}/storage/local-lvm/content")["data"]
        assert [volume["volid"] for volume in volumes] == ([] if found == "absent" else [DISK])
        tasks = self._client.ask("GET", f"{self._here}/tasks")["data"]
        assert len({task["upid"] for task in tasks}) == len(tasks)
        self._state = found

    def _found(self) -> str:
        guests = self._client.ask("GET", f"{self._here}/qemu")["data"]
        return str(guests[0]["status"]) if guests else "absent"

    def _listed(self) -> str:
        """What `status` says; a guest that never ran is not in its list."""
        guests = lifecycle.status(self._checkout)["guests"]
        if guests:
            return str(guests[0]["state"])
        return "absent" if self._found() == "absent" else "stopped"

    def _wait(self, upid: str) -> None:
        until = time.monotonic() + SECONDS
        path = f"{self._here}/tasks/{upid.replace('!', '%21')}/status"
        while (task := self._client.ask("GET", path)["data"])["status"] != "stopped":
            assert time.monotonic() < until, task
            time.sleep(0.002)
        assert task["exitstatus"] == "OK", task
