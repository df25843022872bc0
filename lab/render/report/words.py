"""Words that several sections of the report have."""


def ports_text(ports: tuple[object, ...]) -> str:
    """Ports in a column; a dash where there are none."""
    return " ".join(str(port) for port in ports) or "-"


def remark(text: str) -> str:
    """A description behind what it describes, if there is one."""
    return f" ({text})" if text else ""
