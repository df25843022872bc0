"""The resolver's files: golden for the labs, and the line that each rule is about."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from lab.plan.records import NamePlan, ResolverPlan
from lab.render.resolver import resolver_files
from tests.lab.plan.test_resolver import lab, resolver
from tests.labs.reading import LABS, lab_file
from tests.support.golden import assert_golden
from tests.support.plans import plan_of

FULL = Path(__file__).resolve().parents[2] / "support" / "full_lab.yaml"
FILES = {"full": FULL, "flat-subnet": lab_file("flat-subnet"), "four-vlans-dmz": lab_file("four-vlans-dmz")}


def rendered(inside: dict[str, Any] | None = None, **sections: Any) -> dict[str, str]:
    """The files of a small lab's resolver, by their last names."""
    return _by_name(resolver_files(resolver(lab(inside, **sections))))


def _by_name(files: dict[str, str]) -> dict[str, str]:
    return {Path(path).name: text for path, text in files.items()}


@pytest.mark.parametrize("name", FILES)
def test_the_files_are_golden(name: str, update_golden: bool) -> None:
    """They are exactly as they were when somebody last read them, and no other is there."""
    folder = LABS / name / "expected" / "resolver"
    files = _by_name(resolver_files(plan_of(FILES[name]).dns.resolver))
    for file, text in files.items():
        assert_golden(folder / file, text, update=update_golden)
    assert {path.name for path in folder.iterdir()} == set(files)


def test_a_lab_without_a_resolver_has_no_files() -> None:
    """Nor has one whose resolver is configured elsewhere."""
    assert resolver_files(None) == {}
    assert rendered({"software": "other"}) == {}


def serial(text: str) -> str:
    """The serial of a zone."""
    return next(line for line in text.splitlines() if " SOA " in line).split()[4]


def test_the_serial_follows_from_the_content() -> None:
    """Equal zones have equal serials, another address another one, and zones do not share them."""
    first, again = rendered(), rendered()
    moved = rendered(devices={"tv": {"vlan": "services", "address": 51}})
    assert first == again
    assert serial(first["db.lab.example"]) != serial(moved["db.lab.example"])
    assert int(serial(first["db.lab.example"])) < 2**32


def test_a_name_of_another_domain_is_a_zone_of_its_own() -> None:
    """The rest of that domain stays with whoever serves it."""
    given = resolver(lab())
    other = NamePlan(name="blog.example.org", address="10.10.20.11", of="route to service:web/app")
    files = _by_name(resolver_files(replace(given, names=(*given.names, other))))
    assert "blog.example.org. A 10.10.20.11" in files["db.blog.example.org"]
    assert "example.org" not in files["db.lab.example"]


def test_the_way_back_leads_to_machines() -> None:
    """A route's address is somebody's machine, and that is its name."""
    lines = rendered()["db.20.10.10.in-addr.arpa"].splitlines()
    assert [line.split() for line in lines if " PTR " in line] == [
        ["2.20.10.10.in-addr.arpa.", "PTR", "pve.lab.example."],
        ["11.20.10.10.in-addr.arpa.", "PTR", "docker-1.lab.example."],
        ["50.20.10.10.in-addr.arpa.", "PTR", "tv.lab.example."],
        ["53.20.10.10.in-addr.arpa.", "PTR", "dns.lab.example."],
    ]


@pytest.mark.parametrize(
    ("forward", "filters", "lines"),
    [
        (None, "no", ["dnssec-validation auto;"]),
        ({"addresses": ["9.9.9.9"]}, "no", ["forwarders { 9.9.9.9; };", "dnssec-validation auto;"]),
        (
            {"addresses": ["9.9.9.9", "149.112.112.112"], "tls-name": "dns.quad9.net"},
            "yes",
            [
                'remote-hostname "dns.quad9.net";',
                "forwarders { 9.9.9.9 port 853 tls upstream; 149.112.112.112 port 853 tls upstream; };",
                "dnssec-validation no;",
            ],
        ),
    ],
)
def test_where_bind_asks(forward: Any, filters: str, lines: list[str]) -> None:
    """The roots, or an upstream, over TLS where its name is given."""
    found = rendered({"filters": filters, **({"forward": forward} if forward else {})})["named.conf.options"]
    for line in lines:
        assert f"    {line}\n" in found
    assert ("forward only;" in found) is (forward is not None)


def adguard(inside: dict[str, Any] | None = None) -> Any:
    """What AdGuard Home reads."""
    text = rendered({"software": "adguard", **(inside or {})})["AdGuardHome.yaml"]
    return YAML(typ="safe", pure=True).load(text)


def test_adguard_rewrites_the_same_names() -> None:
    """Both softwares answer the same."""
    given: ResolverPlan = resolver(lab())
    assert adguard()["filtering"]["rewrites"] == [
        {"domain": name.name, "answer": name.address} for name in given.names
    ]


def test_adguard_has_no_password_and_so_no_pages() -> None:
    """Without a user everybody may change everything, so nobody but the container itself gets there."""
    found = adguard()
    assert (found["users"], found["http"]) == ([], {"address": "127.0.0.1:3000"})


def test_adguard_asks_over_tls_by_name() -> None:
    """The upstream is a name, because that is what its certificate holds; its addresses tell where it is."""
    found = adguard({"forward": {"addresses": ["9.9.9.9"], "tls-name": "dns.quad9.net"}})["dns"]
    assert (found["upstream_dns"], found["bootstrap_dns"]) == (["tls://dns.quad9.net"], ["9.9.9.9"])
    assert adguard({"forward": {"addresses": ["9.9.9.9"]}})["dns"]["upstream_dns"] == ["9.9.9.9"]
    assert "upstream_dns" not in adguard()["dns"]


def test_adguard_answers_the_lab_only() -> None:
    """Who is on no segment is refused."""
    assert adguard()["dns"]["allowed_clients"] == ["127.0.0.0/8", "10.10.20.0/24"]
