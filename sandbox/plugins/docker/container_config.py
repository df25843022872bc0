"""From the inputs of a container to the body of `POST /containers/create` and the files that go in before
start.
"""

from __future__ import annotations

import base64
import binascii
import io
import tarfile
from typing import Any

from sandbox.plugins.docker import labels
from sandbox.plugins.docker.connection import one_error
from sandbox.plugins.docker.container_properties import nanoseconds
from sandbox.plugins.resource import CallError
from sandbox.plugins.values import Values, block, blocks, flag, integer, strings, text

MEBIBYTE = 1024 * 1024
DEFAULT_MODE = 0o644
EXECUTABLE_MODE = 0o744


def memory_bytes(inputs: Values, name: str) -> int:
    """A memory setting (mebibytes; -1 means unlimited) in bytes."""
    amount = integer(inputs, name)
    return amount * MEBIBYTE if amount > 0 else amount


def restart_policy(inputs: Values) -> Any:
    """The restart policy as the engine takes it."""
    return {"Name": text(inputs, "restart"), "MaximumRetryCount": integer(inputs, "maxRetryCount")}


def _nano_cpus(cpus: str) -> int:
    try:
        return int(float(cpus or "0") * 10**9)
    except ValueError:
        raise CallError(
            one_error(f"Error setting cpus: failed to parse {cpus} as a rational number")
        ) from None


def body(inputs: Values) -> dict[str, Any]:
    """The whole request; networks other than `networkMode` are connected afterwards."""
    request: dict[str, Any] = {
        "Image": text(inputs, "image"),
        "Hostname": text(inputs, "hostname"),
        "User": text(inputs, "user"),
        "Env": strings(inputs, "envs") or None,
        "Cmd": strings(inputs, "command") or None,
        "Entrypoint": strings(inputs, "entrypoints") or None,
        "Labels": labels.to_engine(inputs) or None,
        "ExposedPorts": {_port_key(port): {} for port in blocks(inputs, "ports")} or None,
        "HostConfig": _host_config(inputs),
        "NetworkingConfig": {"EndpointsConfig": None},
    }
    if block(inputs, "healthcheck"):
        request["Healthcheck"] = _healthcheck(block(inputs, "healthcheck"))
    if integer(inputs, "stopTimeout"):
        request["StopTimeout"] = integer(inputs, "stopTimeout")
    return request


def _host_config(inputs: Values) -> dict[str, Any]:
    capabilities = block(inputs, "capabilities")
    config: dict[str, Any] = {
        "NetworkMode": text(inputs, "networkMode"),
        "RestartPolicy": restart_policy(inputs),
        "CapAdd": strings(capabilities, "adds") or None,
        "CapDrop": strings(capabilities, "drops") or None,
        "SecurityOpt": strings(inputs, "securityOpts") or None,
        "ReadonlyRootfs": flag(inputs, "readOnly"),
        "Privileged": flag(inputs, "privileged"),
        "Memory": memory_bytes(inputs, "memory"),
        "MemorySwap": memory_bytes(inputs, "memorySwap"),
        "NanoCpus": _nano_cpus(text(inputs, "cpus")),
        "Tmpfs": block(inputs, "tmpfs") or None,
        "Sysctls": block(inputs, "sysctls") or None,
        "Mounts": [_mount(mount) for mount in blocks(inputs, "mounts")] or None,
        "PortBindings": _bindings(inputs) or None,
        "Devices": [_device(device) for device in blocks(inputs, "devices")] or None,
        "ExtraHosts": [f"{text(host, 'host')}:{text(host, 'ip')}" for host in blocks(inputs, "hosts")]
        or None,
        "Dns": strings(inputs, "dns") or None,
        "GroupAdd": strings(inputs, "groupAdds") or None,
        "PidMode": text(inputs, "pidMode"),
        "LogConfig": {"Type": text(inputs, "logDriver"), "Config": block(inputs, "logOpts") or None},
    }
    if inputs.get("init") is not None:
        config["Init"] = flag(inputs, "init")
    return config


def _healthcheck(given: Values) -> dict[str, Any]:
    check: dict[str, Any] = {"Test": strings(given, "tests")}
    for name, key in (("interval", "Interval"), ("timeout", "Timeout"), ("startPeriod", "StartPeriod")):
        if nanoseconds(text(given, name)):
            check[key] = nanoseconds(text(given, name))
    if nanoseconds(text(given, "startInterval")):
        check["StartInterval"] = nanoseconds(text(given, "startInterval"))
    if integer(given, "retries"):
        check["Retries"] = integer(given, "retries")
    return check


def _mount(given: Values) -> dict[str, Any]:
    mount: dict[str, Any] = {"Type": text(given, "type"), "Target": text(given, "target")}
    if text(given, "source"):
        mount["Source"] = text(given, "source")
    if flag(given, "readOnly"):
        mount["ReadOnly"] = True
    return mount


def _port_key(given: Values) -> str:
    return f"{integer(given, 'internal')}/{text(given, 'protocol') or 'tcp'}"


def _bindings(inputs: Values) -> dict[str, list[dict[str, str]]]:
    bindings: dict[str, list[dict[str, str]]] = {}
    for port in blocks(inputs, "ports"):
        external = integer(port, "external")
        binding = {"HostIp": text(port, "ip"), "HostPort": str(external) if external else ""}
        bindings.setdefault(_port_key(port), []).append(binding)
    return bindings


def _device(given: Values) -> dict[str, str]:
    path = text(given, "hostPath")
    return {
        "PathOnHost": path,
        "PathInContainer": text(given, "containerPath") or path,
        "CgroupPermissions": text(given, "permissions") or "rwm",
    }


def archive(upload: Values) -> bytes:
    """A tar archive, to be unpacked at `/`, that holds the one file of an upload."""
    content = _content(upload)
    member = tarfile.TarInfo(text(upload, "file"))
    member.size = len(content)
    member.mode = EXECUTABLE_MODE if flag(upload, "executable") else DEFAULT_MODE
    if text(upload, "permissions"):
        member.mode = int(text(upload, "permissions"), 8)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _content(upload: Values) -> bytes:
    encoded = text(upload, "contentBase64")
    if not encoded:
        return text(upload, "content").encode()
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        file = text(upload, "file")
        raise CallError(one_error(f"the contentBase64 of the upload {file} is not valid base64")) from None
