"""The ledger: one form, in which two branches merge, and records that only go when they are dropped."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.errors import LedgerError
from lab.ledger import KINDS, Ledger, ledger_path, read_ledger

RECORDS: dict[str, dict[str, str | int]] = {
    "networks": {"docker-1/vnet-web": "10.128.0.0/28", "docker-1/vnet-auth": "10.128.0.16/28"},
    "macs": {"docker-1/services": "02:A7:5E:98:00:01"},
    "guest-ids": {"docker-1-data": 9000},
}
TEXT = """\
# What was given out in this lab and stays put. Written by `lab ledger --write`; commit it.
# To free one record: `lab ledger --drop KIND/KEY`.
version: 1
networks:
  docker-1/vnet-auth: 10.128.0.16/28
  docker-1/vnet-web: 10.128.0.0/28
guest-ids:
  docker-1-data: 9000
macs:
  docker-1/services: "02:A7:5E:98:00:01"
"""


@pytest.mark.parametrize(
    ("lab", "ledger"),
    [
        ("Pulumi.dev.yaml", "ledger.dev.yaml"),
        ("lab.yaml", "ledger.lab.yaml"),
        ("a.b.yaml", "ledger.a.b.yaml"),
    ],
)
def test_it_lies_beside_the_lab_file(lab: str, ledger: str) -> None:
    """The ledger of an environment is named after it and lies in the same folder."""
    assert ledger_path(Path("/some/where") / lab) == Path("/some/where") / ledger


def test_it_is_written_in_one_form() -> None:
    """Kinds are in their order and keys sorted, so that a change is the lines that it is about."""
    assert Ledger(RECORDS).text() == TEXT


VALUES = {
    "networks": st.integers(0, 2**12).map(lambda n: f"10.{n // 256}.{n % 256}.0/28"),
    "addresses": st.ip_addresses(v=4).map(str),
    "guest-addresses": st.ip_addresses(v=4).map(str),
    "macs": st.integers(0, 2**24 - 1).map(
        lambda n: f"02:00:00:{n >> 16:02X}:{n >> 8 & 255:02X}:{n & 255:02X}"
    ),
    "edge-slots": st.integers(0, 99),
    "guest-ids": st.integers(100, 9999),
    "published-ports": st.integers(1, 65535),
}
WORDS = st.sampled_from(("docker-1", "web", "app", "a", "0", "100", "1e3", "null", "true", "yes", "x--y"))
NAMES = st.lists(WORDS, min_size=1, max_size=4).map("/".join)


@settings(max_examples=60, deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            kind: st.dictionaries(NAMES, value, min_size=1, max_size=3) for kind, value in VALUES.items()
        },
    )
)
def test_it_is_read_as_it_was_written(records: dict[str, dict[str, str | int]]) -> None:
    """Whatever is given out is read back as it was, whatever the names look like to YAML."""
    # A folder of its own for each example: the fixture tmp_path lives as long as all of them.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.test.yaml"
        path.write_text(Ledger(records).text())
        assert read_ledger(path).records == records


def test_none_is_empty(tmp_path: Path) -> None:
    """Before anything is recorded there is no file, and that is no problem."""
    assert read_ledger(tmp_path / "ledger.none.yaml") == Ledger()


def test_a_kind_without_records_is_none(tmp_path: Path) -> None:
    """A kind whose records were all removed by hand is as if it were not there."""
    path = tmp_path / "ledger.test.yaml"
    path.write_text("version: 1\nnetworks:\n")
    assert read_ledger(path) == Ledger()


def test_every_kind_has_a_test_of_its_values() -> None:
    """The strategies above cover every kind of record."""
    assert set(VALUES) == set(KINDS)


def test_added_records_join_the_others() -> None:
    """New records are added, an old key gets its new value, and the order of kinds is that of the file."""
    added = Ledger({"macs": {"a": "02:00:00:00:00:01"}}).with_records(
        {"networks": {"n": "10.0.0.0/28"}, "macs": {"a": "02:00:00:00:00:02", "b": "02:00:00:00:00:03"}}
    )
    assert list(added.records) == ["networks", "macs"]
    assert added.records["macs"] == {"a": "02:00:00:00:00:02", "b": "02:00:00:00:00:03"}


def test_a_record_is_dropped_by_its_name() -> None:
    """A name is the kind and the key; everything else stays."""
    left = Ledger(RECORDS).without(["networks/docker-1/vnet-web"])
    assert left.names() == [
        "guest-ids/docker-1-data",
        "macs/docker-1/services",
        "networks/docker-1/vnet-auth",
    ]


def test_dropping_what_is_not_there_names_the_nearest() -> None:
    """A name that is not recorded is refused with the one that was meant, and nothing is dropped."""
    with pytest.raises(LedgerError) as caught:
        Ledger(RECORDS).without(["networks/docker-1/vnet-webb", "macs/docker-1/services"])
    assert str(caught.value) == (
        "the ledger has one problem; nothing was created\n"
        "  - networks/docker-1/vnet-webb: there is no such record\n"
        '      repair: write "networks/docker-1/vnet-web"'
    )


def test_values_come_as_what_they_are() -> None:
    """Numbers are numbers, addresses text and networks networks."""
    ledger = Ledger(RECORDS)
    assert ledger.numbers("guest-ids") == {"docker-1-data": 9000}
    assert ledger.texts("macs") == {"docker-1/services": "02:A7:5E:98:00:01"}
    assert {key: str(network) for key, network in ledger.networks().items()} == RECORDS["networks"]
