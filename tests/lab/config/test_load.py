"""Reading a lab file: what Pulumi reads, we read; what is written is kept; what differs is refused."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel

from lab.config.load import LAB_KEY, environment_of, load, parse
from lab.config.model import LabConfig
from lab.config.strict import Part
from lab.errors import ConfigError
from tests.support.builders import IMAGE, TRAEFIK, guest, raw_lab
from tests.support.needs import need
from tests.support.pairs import shown_names
from toolchain import resolve

ROOT = Path(__file__).resolve().parents[3]

PULUMI_READS: dict[str, Any] = {
    "12": 12,
    "-5": -5,
    "+5": 5,
    "-0": 0,
    "0": 0,
    "12.0": 12,
    "12.50": 12.5,
    "5.": 5,
    "1e3": 1000,
    "1.0e+2": 100,
    "007.5": 7.5,
    "0.1": 0.1,
    "yes": "yes",
    "no": "no",
    "on": "on",
    "off": "off",
    "y": "y",
    "true": True,
    "True": True,
    "TRUE": True,
    "tRue": "tRue",
    "false": False,
    "null": None,
    "~": None,
    "": None,
    "1:30": "1:30",
    "12:30:45": "12:30:45",
    "1e": "1e",
    ".e5": ".e5",
    "_5": "_5",
    "0x": "0x",
    "=": "=",
    "10.10.10.0/24": "10.10.10.0/24",
    ".100-.200": ".100-.200",
    "8GiB": "8GiB",
    '"020"': "020",
    "'2024-01-31'": "2024-01-31",
}
"""What the engine (3.259.0) makes of a scalar, as `pulumi config --json` tells it."""

PULUMI_DIFFERS: dict[str, Any] = {
    "020": 16,
    "-010": -8,
    "0x1F": 31,
    "0X1F": 31,
    "0b11": 3,
    "0o17": 15,
    "0O17": 15,
    "1_000": 1000,
    "1_0.5": 10.5,
    "5_": 5,
    "2024-01-31": "2024-01-31 00:00:00 +0000 UTC",
    "2024-1-1": "2024-01-01 00:00:00 +0000 UTC",
    "2024-01-31T10:00:00Z": "2024-01-31 10:00:00 +0000 UTC",
    "9007199254740993": 9007199254740992,
}
"""What it makes of a scalar that YAML 1.2 reads as something else."""


def write(folder: Path, text: str, name: str = "Pulumi.test.yaml") -> Path:
    """A stack file that holds a lab."""
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize("text", PULUMI_READS)
def test_scalars_are_read_as_pulumi_reads_them(text: str, tmp_path: Path) -> None:
    """A scalar is the value that `require_object` gives: yes is text, a leading plus is none."""
    path = write(tmp_path, f"config:\n  {LAB_KEY}:\n    domain: lab.example\n    description: {text}\n")
    with pytest.raises(ConfigError) as caught:
        load(path, {"domain": "lab.example", "description": object()})
    (difference,) = [issue for issue in caught.value.issues if "Pulumi reads" in issue.problem]
    ours = difference.problem.partition("YAML 1.2 reads ")[2]
    value = PULUMI_READS[text]
    assert ours in (repr(value), repr(float(value)) if type(value) is int else "")


@pytest.mark.parametrize("text", PULUMI_DIFFERS)
def test_scalars_that_pulumi_reads_differently_are_refused(text: str, tmp_path: Path) -> None:
    """What the two readers do not agree about is a problem, whether or not the value would fit."""
    path = write(tmp_path, f"config:\n  {LAB_KEY}:\n    domain: lab.example\n    description: {text}\n")
    with pytest.raises(ConfigError, match="read differently"):
        load(path)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Pulumi project with one stack and a state of its own."""
    program = resolve.find("pulumi")
    need(program is not None, "the Pulumi engine is not built; run `python3 -m toolchain build pulumi`")
    assert program is not None
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    state = tmp_path / "state"
    state.mkdir()
    for name, value in {
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_BACKEND_URL": f"file://{state}",
        "PULUMI_CONFIG_PASSPHRASE": "test",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "Pulumi.yaml").write_text("name: homelab\nruntime: python\n")
    subprocess.run(
        ["pulumi", "stack", "init", "test"], cwd=tmp_path, check=True, capture_output=True, timeout=60
    )
    return tmp_path


def pulumi_reads(project: Path) -> dict[str, Any]:
    """The lab as the engine hands it to a program."""
    done = subprocess.run(
        ["pulumi", "config", "--json", "--stack", "test"],
        cwd=project,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    found: dict[str, Any] = json.loads(done.stdout)[LAB_KEY]["objectValue"]
    return found


@pytest.mark.engine
def test_the_recorded_readings_are_the_engine_s(engine: Path) -> None:
    """The engine reads every scalar as it is recorded here."""
    recorded = {**PULUMI_READS, **PULUMI_DIFFERS}
    lines = "".join(f"    k{number}: {scalar}\n" for number, scalar in enumerate(recorded))
    write(engine, f"config:\n  {LAB_KEY}:\n{lines}")
    found = pulumi_reads(engine)
    assert {scalar: found[f"k{number}"] for number, scalar in enumerate(recorded)} == recorded


@pytest.mark.engine
@pytest.mark.parametrize(
    "lab",
    [
        "Pulumi.dev.yaml",
        *(
            f"tests/labs/{c.parent.name}/lab.yaml"
            for c in sorted((ROOT / "tests" / "labs").glob("*/lab.yaml"))
        ),
    ],
)
def test_whole_labs_are_read_alike(lab: str, engine: Path) -> None:
    """The engine and we read the same lab out of every lab file of this repository."""
    path = write(engine, (ROOT / lab).read_text())
    assert load(path, pulumi_reads(engine)) == load(path)


@pytest.mark.engine
def test_a_file_that_pulumi_wrote_is_read_alike(engine: Path) -> None:
    """After `pulumi config set` has rewritten the file, the lab in it is the same."""
    path = write(engine, (ROOT / "Pulumi.dev.yaml").read_text())
    before = load(path)
    command = ["pulumi", "config", "set", "--stack", "test", "homelab:other", "5"]
    subprocess.run(command, cwd=engine, check=True, capture_output=True, timeout=60)
    assert "homelab:other" in path.read_text()
    assert load(path) == before


DIFFERENCES: list[tuple[Any, str, str]] = [
    ({"domain": "other.example"}, "lab.domain", "Pulumi reads 'other.example', YAML 1.2 reads 'lab.example'"),
    ({}, "lab.domain", "Pulumi reads None, YAML 1.2 reads 'lab.example'"),
    ({"domain": "lab.example", "site": "home"}, "lab.site", "Pulumi reads 'home', YAML 1.2 reads None"),
    ({"domain": ["lab.example"]}, "lab.domain", "Pulumi reads ['lab.example'], YAML 1.2 reads 'lab.example'"),
]


@pytest.mark.parametrize(("theirs", "path", "problem"), DIFFERENCES)
def test_what_pulumi_reads_otherwise_is_told(theirs: Any, path: str, problem: str, tmp_path: Path) -> None:
    """A value that only one reader sees, or that the two see differently, is told with both readings."""
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, "domain: lab.example\n"), theirs)
    (issue,) = caught.value.issues
    assert (issue.path, issue.problem) == (path, problem)


def test_differences_are_found_all_the_way_down(tmp_path: Path) -> None:
    """Lists and mappings are compared part by part, and true is not 1."""
    text = (
        "domain: lab.example\n"
        "vlans: {a: {subnet: 10.0.0.0/24, internet: true}}\n"
        "owns: [dns-zone, cluster-firewall]\n"
    )
    theirs = {
        "domain": "lab.example",
        "vlans": {"a": {"subnet": "10.0.0.0/24", "internet": 1}},
        "owns": ["dns-zone", "tailnet-policy"],
    }
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, text), theirs)
    assert [issue.path for issue in caught.value.issues] == ["lab.owns[1]", "lab.vlans.a.internet"]


def test_the_same_reading_is_no_difference(tmp_path: Path) -> None:
    """A whole number is the same with and without a point, because JSON makes no difference."""
    text = (
        f"domain: lab.example\nstacks: {{a: {{host: b, services: {{c: {{image: {IMAGE}, cpus: 1.0}}}}}}}}\n"
    )
    service = {"image": IMAGE, "cpus": 1}
    theirs = {"domain": "lab.example", "stacks": {"a": {"host": "b", "services": {"c": service}}}}
    assert load(write(tmp_path, text), theirs).domain == "lab.example"


@pytest.mark.parametrize(
    ("name", "environment"),
    [("Pulumi.dev.yaml", "dev"), ("Pulumi.home-2.yaml", "home-2"), ("lab.yaml", "lab"), ("a.b.yaml", "a.b")],
)
def test_the_environment_is_in_the_name(name: str, environment: str) -> None:
    """`Pulumi.dev.yaml` declares dev; any other file is named as it is."""
    assert environment_of(Path(name)) == environment


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """A file that does not exist is one problem with its repair, and no stack trace."""
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "Pulumi.nowhere.yaml")
    assert str(caught.value) == (
        "the lab file has one problem; nothing was created\n"
        "  - Pulumi.nowhere.yaml: there is no such file\n"
        "      repair: name an environment that has a Pulumi.ENV.yaml"
    )


def test_a_folder_is_not_a_lab_file(tmp_path: Path) -> None:
    """What cannot be read is told with the reason that the system gives."""
    with pytest.raises(ConfigError, match=r"it cannot be read: Is a directory\n"):
        load(tmp_path)


def test_a_file_that_is_not_text_is_told(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are not YAML."""
    path = tmp_path / "Pulumi.test.yaml"
    path.write_bytes(b"domain: lab.example # \xfc\n")
    with pytest.raises(ConfigError, match="save it as UTF-8 text in YAML"):
        load(path)


def test_every_problem_has_its_line(tmp_path: Path) -> None:
    """A problem names the line on which its key stands, or the line of what surrounds a missing one."""
    text = "domain: lab.example\nvlans:\n  a:\n    subnet: 10.0.0.1/24\n  b: {}\n"
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, text))
    assert [issue.path for issue in caught.value.issues] == [
        "lab.vlans.a.subnet (line 4)",
        "lab.vlans.b.subnet (line 5)",
    ]


# --- every field survives -------------------------------------------------------------


def keys_of(part: type[BaseModel], path: str = "") -> Iterator[tuple[str, type[BaseModel], str]]:
    """Every key of the model with the part that has it, each part once for each way to it."""
    for name, field in part.model_fields.items():
        where = f"{path}.{field.alias or name}"
        yield where, part, name
        for inner in parts_in(field.annotation):
            yield from keys_of(inner, where)


def parts_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The parts that an annotation holds."""
    if isinstance(annotation, type) and issubclass(annotation, Part):
        yield annotation
    elif get_origin(annotation) in (tuple, dict, Union, UnionType, Annotated):
        for inner in get_args(annotation):
            yield from parts_in(inner)


FULL = ROOT / "tests" / "support" / "full_lab.yaml"


def full_labs() -> tuple[LabConfig, ...]:
    """The full lab, and what cannot stand beside the rest of it."""
    observed = {
        "host": "docker-1",
        "software": "nginx",
        "manage": "observe",
        "tls": "tunnel",
        "tunnel": "guest:docker-1",
    }
    router = {"kind": "unifi", "device": "box"}
    shown = shown_names(["*.lab.example"])
    other = raw_lab(ingress=observed, router=router, devices={"box": {"vlan": "services"}}, certificate=shown)
    return load(FULL), parse(other)


def test_the_full_lab_uses_every_key() -> None:
    """The full lab sets every key that a person may write, so that the next test speaks of all of them."""
    used = {
        f"{type(part).__name__}.{name}"
        for lab in full_labs()
        for part in _parts(lab)
        for name in part.model_fields_set
    }
    assert {f"{part.__name__}.{name}" for _, part, name in keys_of(LabConfig)} - used == ONE_CHOICE


ONE_CHOICE = {"CertificateConfig.dns", "IpsConfig.kind"}
"""Keys with one allowed value, which is their default."""


def test_every_field_survives() -> None:
    """Each value of the full lab is in the configuration, and none of them is what its key is without it."""
    for part in _parts(load(FULL)):
        for name in part.model_fields_set:
            default = type(part).model_fields[name].get_default(call_default_factory=True)
            assert getattr(part, name) != default, f"{type(part).__name__}.{name}"


def _parts(value: Any) -> Iterator[Part]:
    if isinstance(value, Part):
        yield value
        for name in type(value).model_fields:
            yield from _parts(getattr(value, name))
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _parts(inner)
    elif isinstance(value, tuple):
        for inner in value:
            yield from _parts(inner)


def test_fields_are_written_in_kebab_case_only() -> None:
    """No key holds an underscore, and a field's Python name is refused where it differs."""
    for where, part, name in keys_of(LabConfig):
        alias = part.model_fields[name].alias or name
        assert "_" not in alias, where
        if alias != name:
            with pytest.raises(Exception, match="extra_forbidden"):
                part.model_validate({name: None})


def test_a_configuration_cannot_be_changed() -> None:
    """What was read is frozen, so that no step of planning can change what another one sees."""
    read = parse(raw_lab())
    with pytest.raises(Exception, match="frozen"):
        read.domain = "other.example"


def test_interfaces_may_have_short_addresses() -> None:
    """The last part of an address is enough beside its segment, for one interface and for several."""
    guests = {"a": guest(vlan=None, vlans={"services": 11, "iot": "dhcp", "dmz": None})}
    nics = (
        parse(raw_lab(guests={"a": {k: v for k, v in guests["a"].items() if v is not None}})).guests["a"].nics
    )
    assert {name: nic.address for name, nic in nics.items()} == {
        "services": ".11",
        "iot": "dhcp",
        "dmz": None,
    }


def test_published_ports_have_a_protocol() -> None:
    """The key of a published port is the same however it is written."""
    stacks = {
        "a": {"host": "h", "services": {"b": {"image": IMAGE, "publishes": {"80": 8080, "53/udp": 53}}}}
    }
    assert parse(raw_lab(stacks=stacks)).stacks["a"].services["b"].publishes == {"80/tcp": 8080, "53/udp": 53}


@pytest.mark.parametrize(("text", "bytes_"), [("8GiB", 8 * 2**30), ("500MiB", 500 * 2**20), ("1TB", 10**12)])
def test_sizes_have_units(text: str, bytes_: int) -> None:
    """A size is a number of bytes, whatever its unit."""
    assert parse(raw_lab(guests={"a": guest(memory=text)})).guests["a"].memory == bytes_


@pytest.mark.parametrize("image", [IMAGE, TRAEFIK, "localhost:5000/a/b@sha256:" + "0" * 64])
def test_images_are_kept_as_written(image: str) -> None:
    """An image by digest is accepted, with and without a tag."""
    stacks = {"a": {"host": "h", "services": {"b": {"image": image}}}}
    assert parse(raw_lab(stacks=stacks)).stacks["a"].services["b"].image == image
