"""What the official plugin checks of single values, with its own sentences."""

from __future__ import annotations

import ipaddress
import re

from sandbox.plugins.properties import Rule
from sandbox.plugins.values import Value

FILE_ID = re.compile(r"(?i)^[a-z\d\-_.]+:([a-z\d\-_]+/)?.+$")
_MAC = re.compile(r"^([A-Fa-f0-9]{2}:){5}[A-Fa-f0-9]{2}$")


def no_less(lowest: int) -> Rule:
    """The lower bound of Terraform's SDK."""

    def rule(value: Value) -> str | None:
        if not isinstance(value, int | float) or value >= lowest:
            return None
        return f"expected {{name}} to be at least ({lowest}), got {value}"

    return rule


def no_less_than(lowest: int) -> Rule:
    """The lower bound of the plugin framework."""

    def rule(value: Value) -> str | None:
        if not isinstance(value, int | float) or value >= lowest:
            return None
        return f"Invalid Attribute Value. Attribute {{name}} value must be at least {lowest}, got: {value}"

    return rule


def pattern(expression: str, sentence: str) -> Rule:
    """A pattern of Terraform's SDK; `{value}` in the sentence is the value."""
    compiled = re.compile(expression)

    def rule(value: Value) -> str | None:
        if not isinstance(value, str) or compiled.search(value):
            return None
        return sentence.replace("{value}", value)

    return rule


def framework_pattern(expression: str, sentence: str) -> Rule:
    """A pattern of the plugin framework: its sentence follows the attribute's name."""
    compiled = re.compile(expression)

    def rule(value: Value) -> str | None:
        if not isinstance(value, str) or compiled.search(value):
            return None
        return f"Invalid Attribute Value Match. Attribute {{name}} {sentence}, got: {value}"

    return rule


def file_id(value: Value) -> str | None:
    """A file on a storage, `local:import/x.qcow2`; empty is unset."""
    if not isinstance(value, str) or value == "" or FILE_ID.match(value):
        return None
    return "expected {name} to be a valid file identifier (datastore-name:iso/some-file.img), got " + value


def mac_address(value: Value) -> str | None:
    """A MAC address; empty is unset."""
    if not isinstance(value, str) or value == "" or _MAC.match(value):
        return None
    return f'expected "{{name}}" to be a valid MAC address (A0:B1:C2:D3:E4:F5), got "{value}"'


def duration(value: Value) -> str | None:
    """A Go duration such as `15m` or `1h30m`."""
    if not isinstance(value, str) or re.fullmatch(r"(\d+(\.\d+)?(ns|us|ms|s|m|h))+", value):
        return None
    return f"expected value of {{name}} to be a duration - got: {value}"


def cidr(version: int) -> Rule:
    """An address with its prefix length."""

    def rule(value: Value) -> str | None:
        if not isinstance(value, str):
            return None
        try:
            if "/" in value and ipaddress.ip_interface(value).version == version:
                return None
        except ValueError:
            pass
        return (
            "Invalid IP/CIDR String Value. An unexpected error occurred while converting a string value that"
            f" was expected to be IP/CIDR.\n\nPath: {{name}}\nGiven Value: {value}\n"
            f"Error: invalid CIDR address: {value}"
        )

    return rule


def address(value: Value) -> str | None:
    """A plain IP address."""
    if not isinstance(value, str):
        return None
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return (
            "Invalid IP String Value. An unexpected error occurred while converting a string value that was"
            f" expected to be IPv4/IPv6.\n\nPath: {{name}}\nGiven Value: {value}"
        )
    return None
