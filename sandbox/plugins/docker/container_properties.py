"""The properties of docker:index/container:Container, with what the official plugin makes of a change.

Almost everything replaces. `healthcheck`, `tmpfs`, `init` and the fields of `mounts` are reported as updates,
and
the update does nothing (plugin-recordings README, surprise 19); what the image may provide is silent when
removed.
"""

from __future__ import annotations

import re

from sandbox.plugins.docker import labels
from sandbox.plugins.properties import (
    Property,
    Rule,
    at_least,
    block,
    block_list,
    block_set,
    boolean,
    integer,
    matches,
    names,
    string,
    string_list,
    string_map,
    string_set,
)
from sandbox.plugins.values import Value

DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
NANOSECONDS = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}


def nanoseconds(duration: str) -> int:
    """A duration as Docker writes it (`1m30s`) in nanoseconds; 0 for an empty one.

    Raises:
        ValueError: the text is no duration.
    """
    parts = DURATION.findall(duration)
    if "".join(number + unit for number, unit in parts) != duration and duration != "0":
        raise ValueError(duration)
    return sum(int(float(number) * NANOSECONDS[unit]) for number, unit in parts)


def duration_text(value: int) -> str:
    """Nanoseconds as the official plugin prints them: `10s`, `1m30s`, `0s`."""
    if value == 0:
        return "0s"
    if value % 10**9:
        return f"{value / 10**6:g}ms"
    hours, rest = divmod(value // 10**9, 3600)
    minutes, seconds = divmod(rest, 60)
    text = f"{hours}h" if hours else ""
    text += f"{minutes}m" if minutes or hours else ""
    return text + f"{seconds}s"


def _is_duration(value: Value) -> str | None:
    if not isinstance(value, str):
        return None
    try:
        nanoseconds(value)
    except ValueError:
        sentence = f"'{value}' is not a valid duration"
        return f"{sentence}. {sentence}"
    return None


DURATION_RULE: tuple[Rule, ...] = (_is_duration,)
AT_LEAST_ZERO: tuple[Rule, ...] = (at_least(0),)

NETWORKS = block_set(
    "networksAdvanced",
    [
        string("name", required=True, replace=True),
        string("ipv4Address", replace=True),
        string_set("aliases", replace=True),
    ],
    replace=True,
    whole=True,
    unsupported="driverOpts gwPriority ipv6Address linkLocalIps macAddress",
)
MOUNTS = block_set(
    "mounts",
    [
        string("target", required=True),
        string("type", required=True, rules=(matches(r"^(bind|volume|tmpfs)$"),)),
        string("source"),
        boolean("readOnly"),
    ],
    replace=True,
    unsupported="bindOptions tmpfsOptions volumeOptions",
)
UPLOADS = block_set(
    "uploads",
    [
        string("file", required=True, replace=True),
        string("content", replace=True),
        string("contentBase64", replace=True),
        boolean("executable", replace=True),
        string("permissions", replace=True, rules=(matches(r"^0[0-7]{3}$"),)),
    ],
    upstream="upload",
    replace=True,
    unsupported="source sourceHash owner group",
)
HEALTHCHECK = block(
    "healthcheck",
    [
        string_list("tests", upstream="test"),
        string("interval", default="0s", rules=DURATION_RULE),
        string("timeout", default="0s", rules=DURATION_RULE),
        integer("retries", rules=AT_LEAST_ZERO, planned_default=0),
        string("startPeriod", default="0s", rules=DURATION_RULE),
        string("startInterval", default="0s", rules=DURATION_RULE),
    ],
    computed=True,
)
CAPABILITIES = block(
    "capabilities",
    [string_set("adds", upstream="add", replace=True), string_set("drops", upstream="drop", replace=True)],
    replace=True,
)
PORTS = block_list(
    "ports",
    [
        integer("internal", required=True, replace=True),
        integer("external", replace=True, computed=True),
        string("ip", replace=True, default="0.0.0.0"),
        string("protocol", replace=True, default="tcp"),
    ],
    replace=True,
)
DEVICES = block_set(
    "devices",
    [
        string("hostPath", required=True, replace=True),
        string("containerPath", replace=True),
        string("permissions", replace=True, default="rwm"),
    ],
    replace=True,
)
HOSTS = block_set(
    "hosts",
    [string("host", required=True, replace=True), string("ip", required=True, replace=True)],
    upstream="host",
    replace=True,
)

PROPERTIES: tuple[Property, ...] = (
    string("name", required=True, replace=True, named=True),
    string("image", required=True, replace=True),
    NETWORKS,
    labels.labels(computed=True),
    string_set("envs", upstream="env", replace=True, computed=True),
    string_list("command", replace=True, computed=True, filled=True),
    string_list("entrypoints", upstream="entrypoint", replace=True, computed=True, filled=True),
    string("user", replace=True, computed=True),
    boolean("readOnly", replace=True, planned_default=False),
    string_map("tmpfs"),
    MOUNTS,
    UPLOADS,
    CAPABILITIES,
    string_set("securityOpts", replace=True, computed=True),
    integer("memory", rules=AT_LEAST_ZERO),
    integer("memorySwap", rules=(at_least(-1),)),
    string("cpus", replace=True),
    string("restart", default="no", rules=(matches(r"^(no|on-failure|always|unless-stopped)$"),)),
    integer("maxRetryCount"),
    boolean("mustRun", default=True),
    boolean("start", default=True),
    integer("destroyGraceSeconds", rules=AT_LEAST_ZERO),
    HEALTHCHECK,
    boolean("wait", planned_default=False),
    integer("waitTimeout", default=60, rules=(at_least(1),)),
    PORTS,
    string("networkMode", replace=True, default="bridge"),
    DEVICES,
    string_map("sysctls", replace=True),
    string("logDriver", replace=True, computed=True),
    string_map("logOpts", replace=True),
    boolean("init", computed=True),
    string("hostname", replace=True, computed=True),
    string_set("dns", replace=True),
    boolean("privileged", replace=True),
    string_set("groupAdds", upstream="group_add", replace=True),
    integer("stopTimeout", replace=True, computed=True),
    HOSTS,
    string("pidMode", replace=True),
    boolean("removeVolumes", default=True),
    integer("containerReadRefreshTimeoutMilliseconds", default=15000),
    block_list("networkDatas", [string("networkName")], upstream="network_data", output=True, filled=True),
    integer("exitCode", output=True),
    string("bridge", output=True),
    string("ipcMode", output=True),
    string("runtime", output=True),
)
UNSUPPORTED = names(
    """attach cgroupParent cgroupnsMode cpuPeriod cpuQuota cpuSet cpuShares deviceCgroupRules deviceReadBps
    deviceReadIops deviceRequests deviceWriteBps deviceWriteIops dnsOpts dnsSearches domainname gpus ipcMode
    logs memoryReservation platform publishAllPorts rm runtime shmSize stdinOpen stopSignal storageOpts tty
    ulimits usernsMode volumes workingDir"""
)
