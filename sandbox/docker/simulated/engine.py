"""Who the simulated engine says it is: ping, version and info.

Speaks API 1.41 like Docker Engine 20.10.24, and names itself a simulation in every place that a person
or a program looks at, so that nobody takes it for a real engine.
"""

import os
import platform

from sandbox.docker.simulated.request import Call, Reply, Route
from sandbox.docker.simulated.state import digest_of, now

API_VERSION = "1.41"
MINIMUM_API_VERSION = "1.12"
ENGINE_VERSION = "20.10.24"
PLATFORM = "homelab simulated engine"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def _ping(call: Call) -> Reply:
    return Reply(raw=b"OK", content_type="text/plain", headers={"Cache-Control": "no-cache"})


def _version(call: Call) -> Reply:
    machine = platform.machine()
    identity = {
        "Version": ENGINE_VERSION,
        "ApiVersion": API_VERSION,
        "MinAPIVersion": MINIMUM_API_VERSION,
        "GitCommit": "simulated",
        "GoVersion": "none",
        "Os": "linux",
        "Arch": _ARCHITECTURES.get(machine, machine),
        "KernelVersion": platform.release(),
        "BuildTime": "",
    }
    component = {"Name": "Engine", "Version": ENGINE_VERSION, "Details": {"ApiVersion": API_VERSION}}
    return Reply(document={"Platform": {"Name": PLATFORM}, "Components": [component], **identity})


def _info(call: Call) -> Reply:
    states = [document["State"] for document in call.state.containers.all()]
    running = sum(1 for state in states if state["Running"])
    return Reply(
        document={
            "ID": digest_of("engine", call.state.name)[:32],
            "Name": call.state.name,
            "OperatingSystem": PLATFORM,
            "ServerVersion": ENGINE_VERSION,
            "Containers": len(states),
            "ContainersRunning": running,
            "ContainersPaused": 0,
            "ContainersStopped": len(states) - running,
            "Images": len(call.state.images.items()),
            "Driver": "simulated",
            "DockerRootDir": "/var/lib/docker",
            "OSType": "linux",
            "Architecture": platform.machine(),
            "KernelVersion": platform.release(),
            "NCPU": os.cpu_count() or 1,
            "MemTotal": 16 * 2**30,
            "MemoryLimit": True,
            "SwapLimit": True,
            "CpuCfsPeriod": True,
            "CpuCfsQuota": True,
            "PidsLimit": True,
            "IPv4Forwarding": True,
            "BridgeNfIptables": True,
            "BridgeNfIp6tables": True,
            "CgroupDriver": "cgroupfs",
            "CgroupVersion": "2",
            "LoggingDriver": "json-file",
            "DefaultRuntime": "runc",
            "Runtimes": {"runc": {"path": "runc"}},
            "IndexServerAddress": "https://index.docker.io/v1/",
            "RegistryConfig": {"IndexConfigs": {}, "InsecureRegistryCIDRs": [], "Mirrors": []},
            "Plugins": {
                "Volume": ["local"],
                "Network": ["bridge", "host", "macvlan", "null"],
                "Authorization": None,
                "Log": ["json-file", "journald", "local", "none", "syslog"],
            },
            "SecurityOptions": ["name=seccomp,profile=default"],
            "Labels": ["homelab.engine=simulated"],
            "LiveRestoreEnabled": False,
            "Swarm": {"LocalNodeState": "inactive", "NodeID": ""},
            "SystemTime": now(),
            "Warnings": [f"this is a {PLATFORM}: containers are recorded, nothing runs"],
        }
    )


def routes() -> list[Route]:
    """The routes of this subject."""
    return [
        Route(method="HEAD", path="/_ping", handler=_ping),
        Route(method="GET", path="/_ping", handler=_ping),
        Route(method="GET", path="/version", handler=_version),
        Route(method="GET", path="/info", handler=_info),
    ]
