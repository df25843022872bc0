"""The real Traefik reads the files of every lab, and refuses what is broken in them."""

from pathlib import Path

import pytest

from lab.render.traefik import dynamic_configuration, static_configuration
from sandbox.certificates import authority_file, ensure_certificates, ensure_named, server_files
from sandbox.checkout import Checkout
from tests.lab.render.test_traefik import FILES, WITH_TRAEFIK, certificate_of
from tests.support.pairs import pair
from tests.support.plans import plan_of
from tests.support.traefik import Surroundings, TraefikRefused, declared_in, read_yaml, running_traefik

pytestmark = pytest.mark.engine

USERS = "ann:$2y$04$" + "abcdefghijklmnopqrstuuq2cQ0D1j7tGzVdWmVZ9c4oQJ6wQWxyu" + "\n"


def files_of(name: str) -> tuple[str, str]:
    """The static and the dynamic file of a lab."""
    decided = plan_of(FILES[name])
    assert decided.ingress is not None
    certificate = certificate_of(decided)
    return static_configuration(decided.ingress, certificate), dynamic_configuration(
        decided.ingress, certificate
    )


def surroundings(folder: Path, name: str) -> Surroundings:
    """Nobody to pass anything on to, and every secret that the lab's Traefik is given."""
    checkout = Checkout(folder)
    ensure_certificates(checkout)
    ensure_named(checkout, "wildcard", ["*.lab.example"])
    decided = plan_of(FILES[name])
    assert decided.ingress is not None
    assert decided.ingress.service is not None
    names = [file.secret.name for file in decided.ingress.service.secret_files]
    secrets = dict.fromkeys(names, "a-key") | {n: USERS for n in names if n.endswith("users")}
    secrets |= {n: authority_file(checkout).read_text() for n in names if n.endswith("ca")}
    certificates: tuple[Path, Path] | None = server_files(checkout, "wildcard")
    if decided.certificate is not None and decided.certificate.pair is not None:
        given = pair(*decided.certificate.names)
        shown = decided.certificate.pair
        secrets |= {shown.certificate.name: given.certificate, shown.key.name: given.key}
        certificates = None
    (folder / "traefik").mkdir()
    return Surroundings(folder=folder / "traefik", secrets=secrets, certificates=certificates)


@pytest.mark.parametrize("name", WITH_TRAEFIK)
def test_traefik_uses_all_of_it(name: str, tmp_path: Path) -> None:
    """Traefik starts with the static file, and no router, service or middleware of the dynamic one has an error."""
    static, dynamic = files_of(name)
    with running_traefik(static, dynamic, surroundings(tmp_path, name)) as traefik:
        assert traefik.errors() == {}
        assert set(traefik.known()) == declared_in(dynamic)
        entry_points = {entry["name"] for entry in traefik.ask("entrypoints")} - {"traefik"}
        assert entry_points == set(read_yaml(static)["entryPoints"])


BREAKS = {
    "a middleware that is not there": ("        - slowly\n", "        - slow\n", "http.routers.web-api"),
    "a rule that is none": ("Host(`desk.", "Hots(`desk.", "http.routers.desk"),
    "an entry point that is not there": (
        "        - games-minecraft_tcp\n",
        "        - games\n",
        "tcp.routers.games-minecraft",
    ),
    "an address that is none": ("- 10.10.10.0/24", "- 10.10.10.0/240", "http.middlewares.at-the-desk"),
}


@pytest.mark.parametrize("how", BREAKS)
def test_what_is_broken_is_noticed(how: str, tmp_path: Path) -> None:
    """Each mistake that a renderer might make is an error at the part that has it: the test above can fail."""
    static, dynamic = files_of("ingress")
    before, after, part = BREAKS[how]
    assert before in dynamic
    with running_traefik(
        static, dynamic.replace(before, after), surroundings(tmp_path, "ingress")
    ) as traefik:
        assert part in traefik.errors()


@pytest.mark.parametrize("which", ["static", "dynamic"])
def test_an_unknown_key_is_refused(which: str, tmp_path: Path) -> None:
    """A key that Traefik does not know stops it, or its file is not read at all."""
    static, dynamic = files_of("ingress")
    if which == "static":
        static = static.replace("underscoreHeadersStrategy", "underscoreHeaders")
    else:
        dynamic = dynamic.replace("insecureSkipVerify", "insecureSkip")
    with (
        pytest.raises(TraefikRefused, match=r"underscoreHeaders|insecureSkip"),
        running_traefik(static, dynamic, surroundings(tmp_path, "ingress")),
    ):
        pass
