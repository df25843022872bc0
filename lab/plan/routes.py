"""Routes: which host names there are, who may use each, and where each leads.

Refuses what would be found out only by a visitor: a name that no certificate covers, an
audience without a way in, one name that leads to two places, a port that nobody serves.
"""

from lab.config.ingress import IngressConfig
from lab.config.routes import RouteConfig
from lab.config.stacks import ServiceConfig, StackConfig
from lab.flows import Endpoint, Port
from lab.names import did_you_mean
from lab.plan.certificate import certificate_names, covers
from lab.plan.containers import service_endpoint
from lab.plan.draft import Draft
from lab.plan.places import Places
from lab.plan.publication import Publications
from lab.plan.records import Auth, DockerHostPlan, PublishedPort, RoutePlan, StackPlan
from lab.plan.wires import TRAEFIK, Wiring

OUTSIDE = ("internet", "tailnet")


def known_audiences(draft: Draft) -> tuple[str, ...]:
    """Everybody a route can be meant for."""
    return (*OUTSIDE, *draft.config.vlans)


def full_host(draft: Draft, host: str) -> str:
    """A host name below the lab's domain, unless it is whole already."""
    return host if "." in host else f"{host}.{draft.config.domain}"


class Routes:
    """The routes of one lab, while they are resolved."""

    def __init__(
        self,
        draft: Draft,
        ingress: IngressConfig,
        places: Places,
        hosts: dict[str, DockerHostPlan],
        wiring: Wiring,
    ) -> None:
        self.draft, self.ingress, self.places = draft, ingress, places
        self.hosts, self.wiring = hosts, wiring
        self.hosts_seen: dict[tuple[str, str | None], str] = {}
        self.names_seen: dict[str, str] = {}
        self.publications = Publications(draft)

    def all(self, stacks: tuple[StackPlan, ...]) -> tuple[RoutePlan, ...]:
        """Every route, services' first."""
        published = {s.endpoint.name: s.published for stack in stacks for s in stack.services}
        routes = []
        for stack_name, stack in sorted(self.draft.config.stacks.items()):
            for name, service in sorted(stack.services.items()):
                member, path = f"{stack_name}/{name}", f"stacks.{stack_name}.services.{name}"
                for index, route in enumerate(service.all_routes):
                    where = self._where(path, service.route is None, index)
                    port = self._port(route, service.listens, where)
                    address = self._service_address(stack, service, member, port, published.get(member, ()))
                    routes.append(self._route(route, service_endpoint(member), port, address, where, index))
        for name, guest in sorted(self.draft.config.guests.items()):
            for index, route in enumerate(guest.all_routes):
                where = self._where(f"guests.{name}", guest.route is None, index)
                port = self._port(route, guest.listens, where)
                address = self.places.of_machine(name) or ""
                if not address:
                    self.draft.refuse(where, f"guest {name} has no fixed address to route to", "give it one")
                endpoint = Endpoint("guest", name)
                routes.append(self._route(route, endpoint, port, f"{address}:{port.number}", where, index))
        return tuple(routes)

    @staticmethod
    def _where(path: str, plural: bool, index: int) -> str:
        return f"{path}.routes[{index}]" if plural else f"{path}.route"

    def _port(self, route: RouteConfig, listens: tuple[Port, ...], where: str) -> Port:
        if route.port is not None:
            if not any(p.number <= route.port.number <= (p.last or p.number) for p in listens):
                ports = ", ".join(str(p) for p in listens) or "nothing"
                self.draft.refuse(
                    f"{where}.port",
                    f"{route.port} is not served; it listens on {ports}",
                    "add it to listens, or write a port that is there",
                )
            return route.port
        if len(listens) != 1:
            problem = "it does not say which port" if listens else "nothing listens there"
            self.draft.refuse(where, problem, "add port, and list it under listens")
            return Port(80)
        return listens[0]

    def _service_address(
        self,
        stack: StackConfig,
        service: ServiceConfig,
        member: str,
        port: Port,
        published: tuple[PublishedPort, ...],
    ) -> str:
        """Where the ingress finds a service: on the network they share, or at its host's address."""
        if stack.host == self.ingress.host and self.ingress.manage == "yes" and not service.host_network:
            shared = {a.network for a in self.wiring.attachments.get(TRAEFIK, ())}
            mine = self.wiring.attachments.get(member, ())
            return f"{next((a.address for a in mine if a.network in shared), '')}:{port.number}"
        external = next((p.external for p in published if p.internal == port.number), port.number)
        address = self.hosts[stack.host].address if stack.host in self.hosts else ""
        return f"{address}:{external}"

    def _route(
        self, route: RouteConfig, target: Endpoint, port: Port, address: str, where: str, index: int
    ) -> RoutePlan:
        host = full_host(self.draft, route.host)
        other = self.hosts_seen.setdefault((host, route.path), where)
        if other != where:
            self.draft.refuse(
                f"{where}.host",
                f"{host}{route.path or ''} is also the route at {other}",
                "give one of them another host or path",
            )
        name = target.name.replace("/", "-") + (f"-{index + 1}" if index else "")
        other = self.names_seen.setdefault(name, where)
        if other != where:
            self.draft.refuse(
                where, f"the route at {other} is called {name} too", "rename one of their owners"
            )
        audiences = self._audiences(route, where)
        return RoutePlan(
            name=name,
            host=host,
            target=target,
            url=f"{route.scheme}://{address}",
            audiences=audiences,
            port=port,
            path=route.path,
            auth=self._auth(route, where),
            covered_by=self._certificate(host, where),
            published=self.publications.of(route, host, audiences, where),
        )

    def _audiences(self, route: RouteConfig, where: str) -> tuple[str, ...]:
        groups, known = self.draft.config.audiences, known_audiences(self.draft)
        names: list[str] = []
        for audience in route.audience:
            if audience not in known and audience not in groups:
                self.draft.refuse(
                    f"{where}.audience",
                    f'there is no audience "{audience}"',
                    did_you_mean(audience, [*known, *groups]),
                )
                continue
            own_entry = audience in self.ingress.audiences
            names += [audience] if own_entry or audience not in groups else groups[audience]
        if self.ingress.manage == "yes":
            for audience in names:
                if audience not in self.ingress.audiences:
                    self.draft.refuse(
                        f"{where}.audience",
                        f"audience {audience} has no way in",
                        f"add {audience}: {{port: …}} to ingress.audiences",
                    )
        return tuple(dict.fromkeys(names))

    def _auth(self, route: RouteConfig, where: str) -> Auth:
        if route.auth is not None:
            if route.auth in ("one-factor", "two-factor") and self.ingress.auth is None:
                self.draft.refuse(
                    f"{where}.auth", "nothing here asks for it", "add ingress.auth, or write none"
                )
            return route.auth
        return self.ingress.auth.default if self.ingress.auth else "none"

    def _certificate(self, host: str, where: str) -> str | None:
        names = certificate_names(self.draft)
        name = next((name for name in names if covers(name, host)), None)
        if names and name is None:
            self.draft.refuse(
                f"{where}.host",
                f"{host} is not covered by the certificate ({', '.join(names)}); a wildcard covers exactly one level",
                f'add "*.{host.partition(".")[2]}" to certificate.names, '
                f"or choose a host directly below {self.draft.config.domain}",
            )
        return name


def check_audiences(draft: Draft, ingress: IngressConfig) -> None:
    """Refuse audiences that are nobody, mean two things, or cannot be told apart."""
    known = [*known_audiences(draft), *draft.config.audiences]
    ports: dict[int, str] = {}
    for name, entry in sorted(ingress.audiences.items()):
        if name not in known:
            draft.refuse(
                f"ingress.audiences.{name}", f'there is no audience "{name}"', did_you_mean(name, known)
            )
        other = ports.setdefault(entry.port, name)
        if other != name:
            draft.refuse(
                f"ingress.audiences.{name}.port",
                f"port {entry.port} is also the way in of audience {other}, so packets could not tell them apart",
                "give each audience its own port",
            )
    for group, members in draft.config.audiences.items():
        if group in known_audiences(draft):
            kind = "a vlan" if group in draft.config.vlans else "the world outside"
            draft.refuse(
                f"audiences.{group}", f"{group} is also the name of {kind}", "give the group another name"
            )
        for member in members:
            if member not in known_audiences(draft):
                draft.refuse(
                    f"audiences.{group}",
                    f'there is no audience "{member}"',
                    did_you_mean(member, known_audiences(draft)),
                )


def refuse_routes_without_ingress(draft: Draft) -> None:
    """Refuse every route of a lab that has no ingress."""
    owners = {f"guests.{name}": guest.all_routes for name, guest in draft.config.guests.items()}
    for name, stack in draft.config.stacks.items():
        owners |= {f"stacks.{name}.services.{s}": part.all_routes for s, part in stack.services.items()}
    for path, routes in owners.items():
        if routes:
            draft.refuse(f"{path}.route", "there is no ingress to serve it", "declare ingress")
