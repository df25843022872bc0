"""Rendered files, such as the resolver's: its service gets them, its container goes with them, nobody else's does."""

from collections.abc import Mapping
from dataclasses import replace

import components as c
from components.rendered_files import with_files
from lab.flows import Endpoint
from lab.plan.records import NamePlan, ResolverPlan, StackPlan
from lab.render.resolver import resolver_files
from tests.components import records as r
from tests.support.engine import Recording, record

RESOLVER = ResolverPlan(
    software="bind9",
    endpoint=r.SERVICE.endpoint,
    zone="lab.example",
    folder="/etc/bind",
    name="docker-1.lab.example",
    address="10.10.20.11",
    names=(NamePlan(name="www.lab.example", address="10.10.20.11", of="route to service:web/app"),),
)


def files_of(resolver: ResolverPlan) -> Mapping[Endpoint, Mapping[str, str]]:
    """What is rendered for it."""
    return {resolver.endpoint: resolver_files(resolver)}


def created(stack: StackPlan) -> Recording:
    """The stack on its host."""
    return record(
        lambda: c.IsolatedServiceStack("web", c.IsolatedServiceStackArgs(stack=stack, host=r.engine()))
    )


def test_the_resolvers_service_is_given_its_files() -> None:
    """All of them, at the place where its software looks."""
    container = created(with_files(r.STACK, files_of(RESOLVER))).one("Container", "web-app")
    assert [upload["file"] for upload in container.inputs["uploads"]] == [
        "/etc/bind/db.lab.example",
        "/etc/bind/named.conf",
        "/etc/bind/named.conf.local",
        "/etc/bind/named.conf.options",
    ]


def test_another_name_is_another_container() -> None:
    """Uploads cannot be changed in a container, so the provider replaces it; a service of the same stack stays."""
    neighbour = replace(r.SERVICE, name="db", endpoint=Endpoint("service", "web/db"))
    stack = replace(r.STACK, services=(r.SERVICE, neighbour))
    moved = replace(RESOLVER, names=(replace(RESOLVER.names[0], address="10.10.20.12"),))
    before, after = (created(with_files(stack, files_of(given))) for given in (RESOLVER, moved))
    assert before.one("Container", "web-app").inputs != after.one("Container", "web-app").inputs
    assert before.one("Container", "web-db") == after.one("Container", "web-db")


def test_other_stacks_stay_as_they_are() -> None:
    """A resolver elsewhere, or none, changes nothing."""
    elsewhere = replace(RESOLVER, endpoint=Endpoint("guest", "dns"))
    assert with_files(r.STACK, files_of(elsewhere)) == with_files(r.STACK, {}) == r.STACK
