"""The lines of a policy that a refusal of the service is about.

The service names what it does not accept in quotes, or by line and column where the text
is not HuJSON; of failed tests it names nothing, and then it is the section of tests.
"""

import re

_PLACE = re.compile(r"\bline (\d+), column \d+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)+)"')
_SHOWN = 6


def lines_about(policy: str, message: str) -> list[str]:
    """The lines that a message is about, numbered from 1, the first ones of many; empty where it names none."""
    lines = policy.splitlines()
    found = [int(match) for match in _PLACE.findall(message)]
    for word in _QUOTED.findall(message):
        found += [number for number, line in enumerate(lines, 1) if f'"{word}"' in line]
    if not found and "test(s) failed" in message:
        found = [
            number
            for number, line in enumerate(lines, 1)
            if line.strip().startswith(('"tests"', '"sshTests"'))
        ]
    kept = [number for number in sorted(set(found)) if number <= len(lines)][:_SHOWN]
    return [f"{number:>5} | {lines[number - 1]}" for number in kept]
