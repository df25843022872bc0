"""Pulumi's protocol stubs without the rest of its SDK.

The stubs are generated modules below `pulumi.runtime.proto`; importing them the ordinary
way runs `pulumi/__init__.py`, which loads the whole SDK and takes longer than all else at
a plugin's start. Four plugins start one after the other in every preview, so a plugin's
process puts empty packages in the place of the three parents first. Only the process of a
plugin may do so: in a program the SDK is what is wanted.
"""

import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

PARENTS = ("pulumi", "pulumi.runtime", "pulumi.runtime.proto")


def import_without_sdk() -> None:
    """Make `from pulumi.runtime.proto import …` load that module and nothing else of the SDK.

    Raises:
        ModuleNotFoundError: the pulumi package is not installed.
    """
    spec = find_spec(PARENTS[0])
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("the package pulumi is not installed; run `make venv`")
    folder = Path(spec.origin).parent
    for name in PARENTS:
        package = ModuleType(name, f"The parent of modules below {name}; the real one is not loaded here.")
        package.__path__ = [str(folder.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = package
