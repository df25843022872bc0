"""The labs that leaks are planted in: small, and without any path that nobody declared."""

from tests.support.builders import TAILSCALE, Raw, guest, ingress, raw_lab, route, service, stack

NODE = {"pve": {"address": "10.10.10.2", "vlan": "management"}}
VLANS = {
    "iot": {"id": 30, "subnet": "10.10.30.0/24"},
    "management": {"id": 10, "subnet": "10.10.10.0/24"},
    "services": {"id": 20, "subnet": "10.10.20.0/24"},
}
KNOWN_ENGINE = {"version": 28, "userland-proxy": "no", "bridge-netfilter": "yes"}
"""An engine that closes what an engine can close."""


def _wiki(host: str) -> Raw:
    return stack(
        host,
        app=service(listens=[80], needs=["db:5432"]),
        cache=service(listens=[6379]),
        db=service(listens=[5432, 5500, "5432/udp"]),
    )


def guarded() -> Raw:
    """Docker in a VM behind Proxmox's firewall; nothing routes between the segments."""
    return raw_lab(
        vlans=VLANS,
        nodes=NODE,
        operator={"vlan": "management", "address": 5},
        guests={
            "docker-1": guest(address=11, runs="docker"),
            "siem": guest(address=12, listens=["514/udp", 443, 8443]),
        },
        devices={"tv": {"vlan": "iot", "address": 50, "listens": [8009]}},
        stacks={
            "wiki": _wiki("docker-1"),
            "blog": stack(
                "docker-1", app=service(listens=[80], needs=["guest:siem:514/udp"]), ui=service(listens=[80])
            ),
        },
        flows=[{"from": "vlan:services", "to": "guest:siem:443", "because": "people look at alerts"}],
    )


def routed() -> Raw:
    """The same in one segment, which the node routes to the internet."""
    raw = guarded()
    raw["vlans"] = {"services": {**VLANS["services"], "internet": "yes"}}
    raw["nodes"] = {"pve": {"address": "10.10.20.2"}}
    raw["operator"] = {"vlan": "services", "address": 5}
    raw["devices"] = {"printer": {"vlan": "services", "address": 60, "listens": [631]}}
    raw["router"] = {"kind": "node"}
    raw["flows"] += [{"from": "guest:siem", "to": "node:pve:9100", "because": "it reads the node's figures"}]
    return raw


def bare() -> Raw:
    """Docker on a machine without Proxmox, with an ingress for two audiences; nothing routes."""
    return raw_lab(
        vlans={"lan": {"subnet": "192.168.1.0/24"}, "office": {"subnet": "192.168.7.0/24"}},
        nodes={},
        guests={},
        devices={
            "nas": {"vlan": "lan", "address": 10, "runs": "docker", "engine": KNOWN_ENGINE},
            "phone": {"vlan": "lan", "address": 20},
            "tv": {"vlan": "lan", "address": 50, "listens": [8009]},
        },
        stacks={
            "wiki": _wiki("nas"),
            "media": stack(
                "nas",
                app=service(
                    listens=[8096, "1900/udp"],
                    publishes={"8096": 8096, "1900/udp": 1900},
                    route=route("tv", "lan", port=8096),
                ),
                admin=service(listens=[9000], publishes={"9000": 9000}, route=route("admin", "tailnet")),
            ),
            "way-in": {"host": "nas", "tailscale": {"advertise": "ingress", "image": TAILSCALE}},
        },
        ingress=ingress(host="nas", audiences={"lan": {"port": 443}, "tailnet": {"port": 8443}}),
        tailnet={"groups": {"admins": ["admin@example.com"], "family": ["kin@example.com"]}},
        flows=[
            {"from": "device:tv", "to": "service:media/app:8096", "because": "it plays films"},
            {"from": "device:tv", "to": "service:media/app:1900/udp", "because": "it looks for servers"},
        ],
    )


def observed() -> Raw:
    """Docker on a machine on which nothing is created, so that nothing guards it; what follows is declared."""
    stacks = {
        "wiki": {**_wiki("nas"), "manage": "observe"},
        "blog": {**stack("nas", app=service(listens=[80])), "manage": "observe"},
    }
    unguarded = "nothing guards this host"
    flows = [{"from": f"stack:{name}", "to": f"stack:{name}", "because": unguarded} for name in stacks]
    accept = [{"from": f"stack:{name}", "to": "device:nas", "because": unguarded} for name in stacks]
    return raw_lab(
        vlans={"lan": {"subnet": "192.168.1.0/24"}},
        nodes={},
        guests={},
        devices={
            "nas": {"vlan": "lan", "address": 10, "runs": "docker", "engine": KNOWN_ENGINE},
            "tv": {"vlan": "lan", "address": 50, "listens": [8009]},
        },
        stacks=stacks,
        flows=flows,
        accept=accept,
    )


def flat() -> Raw:
    """One node without tags: the home's network on one bridge, machines of the lab on another; nothing routes."""
    return raw_lab(
        vlans={"home": {"subnet": "192.168.1.0/24"}, "lab": {"subnet": "192.168.7.0/24", "bridge": "vmbr1"}},
        nodes={"pve": {"address": "192.168.1.2", "vlan": "home"}},
        guests={
            "build": guest(vlan="lab", address=11),
            "mail": guest(vlan="home", address=12, listens=[25]),
        },
        devices={"tv": {"vlan": "home", "address": 50, "listens": [8009]}},
    )


def two_hosts() -> Raw:
    """Two VMs with Docker: one with the ingress, the other with a routed service and a database for the first."""
    return raw_lab(
        guests={"docker-1": guest(address=11, runs="docker"), "docker-2": guest(address=12, runs="docker")},
        devices={"printer": {"vlan": "services", "address": 60, "listens": [631]}},
        stacks={
            "shop": stack(
                "docker-1",
                app=service(listens=[80], route=route("shop", "services"), needs=["data/db:5432"]),
                jobs=service(listens=[80], needs=["app:80"]),
            ),
            "data": stack(
                "docker-2",
                db=service(listens=[5432], publishes={"5432": 5432}),
                ui=service(listens=[8080], route=route("data", "services")),
            ),
        },
        ingress=ingress(audiences={"services": {"port": 443}}),
    )


def remote() -> Raw:
    """A VM as the tailnet's subnet router, with one group that may use one machine."""
    return raw_lab(
        guests={
            "gate": guest(address=13, tailscale={"advertise": ["device:printer", "device:camera"]}),
            "siem": guest(address=12, listens=[443]),
        },
        devices={
            "camera": {"vlan": "services", "address": 61, "listens": [554]},
            "printer": {"vlan": "services", "address": 60, "listens": [631, 9100]},
        },
        tailnet={"groups": {"admins": ["admin@example.com"], "family": ["kin@example.com"]}},
        flows=[{"from": "tailnet:admins", "to": "device:printer:631", "because": "letters from elsewhere"}],
    )
