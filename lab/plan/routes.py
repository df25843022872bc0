"""Routes: which host names there are, who may use each, and where each leads.

Refuses what would be found out only by a visitor: a name that no certificate covers, an
audience without a way in, one name that leads to two places, a port that nobody serves.
"""

from lab.config.ingress import IngressConfig
from lab.config.routes import RouteConfig
from lab.flows import Endpoint, Port
from lab.names import certifies, did_you_mean
from lab.plan.certificate import certificate_names
from lab.plan.draft import Draft
from lab.plan.entries import check_ports, check_tls, tls_of
from lab.plan.middlewares import named_middlewares
from lab.plan.public_names import Publications
from lab.plan.records import Auth, RoutePlan, SecretRef, TargetTlsPlan
from lab.plan.route_targets import DeclaredRoute, TargetAddresses, declared_routes, routed_port

OUTSIDE = ("internet", "tailnet")


def known_audiences(draft: Draft) -> tuple[str, ...]:
    """Everybody a route can be meant for."""
    groups = draft.config.tailnet.groups if draft.config.tailnet else ()
    return (*OUTSIDE, *draft.config.vlans, *(f"tailnet:{group}" for group in groups))


def audience_endpoint(member: str) -> Endpoint:
    """Whom a member of an audience stands for: the world outside, a group of the tailnet, or a segment."""
    if member in OUTSIDE:
        return Endpoint(member)
    kind, _, group = member.partition(":")
    return Endpoint(kind, group) if group else Endpoint("vlan", member)


def full_host(draft: Draft, host: str) -> str:
    """A host name below the lab's domain, unless it is whole already."""
    return host if "." in host else f"{host}.{draft.config.domain}"


class Routes:
    """The routes of one lab, while they are resolved."""

    def __init__(self, draft: Draft, ingress: IngressConfig, addresses: TargetAddresses) -> None:
        self.draft, self.ingress, self.addresses = draft, ingress, addresses
        self.hosts_seen: dict[tuple[str, str | None], str] = {}
        self.passed_through: dict[str, str] = {}
        self.names_seen: dict[str, str] = {}
        self.publications = Publications(draft)

    def all(self) -> tuple[RoutePlan, ...]:
        """Every route, services' first."""
        return tuple(self._route(declared) for declared in declared_routes(self.draft))

    def _route(self, declared: DeclaredRoute) -> RoutePlan:
        route, where = declared.route, declared.where
        host = full_host(self.draft, route.host)
        port = self._port(declared)
        address = self.addresses.of(declared, port)
        self._check_host(route, host, where)
        self._check_scheme(declared)
        requests = route.protocol == "http"
        audiences = self._audiences(route, where)
        self._check_way(route, audiences, where)
        return RoutePlan(
            name=self._name(declared),
            host=host,
            target=declared.target,
            url=f"{route.scheme}://{address}" if requests else address,
            audiences=audiences,
            port=port,
            path=route.path,
            auth=self._auth(route, where) if requests else "none",
            covered_by=self._certificate(host, where) if requests else None,
            middlewares=named_middlewares(
                self.draft,
                self.ingress,
                route.middlewares,
                f"{where}.middlewares",
                None if route.protocol == "http" else route.protocol,
            ),
            target_tls=_target_tls(route),
            protocol=route.protocol,
            entry=route.entry,
            passthrough=route.passthrough,
            published=self.publications.of(route, host, audiences, where),
        )

    def _name(self, declared: DeclaredRoute) -> str:
        where = declared.where
        name = declared.target.name.replace("/", "-") + (f"-{declared.index + 1}" if declared.index else "")
        other = self.names_seen.setdefault(name, where)
        if other != where:
            self.draft.refuse(
                where, f"the route at {other} is called {name} too", "rename one of their owners"
            )
        return name

    def _port(self, declared: DeclaredRoute) -> Port:
        route, where = declared.route, declared.where
        port = routed_port(route, declared.listens)
        if port is None:
            problem = "it does not say which port" if declared.listens else "nothing listens there"
            self.draft.refuse(where, problem, "add port, and list it under listens")
            return Port(80)
        served = [p for p in declared.listens if p.protocol == port.protocol]
        if not any(p.number <= port.number <= (p.last or p.number) for p in served):
            ports = ", ".join(str(p) for p in declared.listens) or "nothing"
            self.draft.refuse(
                f"{where}.port",
                f"{port} is not served; it listens on {ports}",
                "add it to listens, or write a port that is there",
            )
        return port

    def _check_host(self, route: RouteConfig, host: str, where: str) -> None:
        """One name and path leads to one place; a port of its own is told apart by its number."""
        if route.entry is not None:
            return
        other = self.hosts_seen.setdefault((host, route.path), where)
        through = self.passed_through.get(host)
        if route.passthrough:
            through = next(
                (w for (name, _), w in self.hosts_seen.items() if name == host and w != where), through
            )
            self.passed_through.setdefault(host, where)
        if other != where:
            self.draft.refuse(
                f"{where}.host",
                f"{host}{route.path or ''} is also the route at {other}",
                "give one of them another host or path",
            )
        elif through is not None:
            self.draft.refuse(
                f"{where}.host",
                f"TLS for {host} would both end here and be passed through, by the route at {through}",
                "give one of them another host",
            )

    def _check_scheme(self, declared: DeclaredRoute) -> None:
        route = declared.route
        if declared.target.kind == "node" and route.protocol == "http" and route.scheme == "http":
            self.draft.refuse(
                f"{declared.where}.scheme",
                "a node answers HTTPS only",
                "add scheme: https, and ca (the secret that holds /etc/pve/pve-root-ca.pem) or verify: no",
            )

    def _check_way(self, route: RouteConfig, audiences: tuple[str, ...], where: str) -> None:
        """What TLS in front of the ingress makes impossible."""
        for audience in audiences:
            tls = tls_of(self.draft, self.ingress, audience)
            if route.passthrough and tls != "own":
                self.draft.refuse(
                    f"{where}.passthrough",
                    f"with tls: {tls} the TLS of audience {audience} ends before it arrives here",
                    "remove passthrough, or the audience",
                )
            if route.entry is not None and tls == "tunnel":
                self.draft.refuse(
                    f"{where}.entry",
                    f"audience {audience} comes through a tunnel, which carries requests only",
                    "remove the audience, or the route",
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
            members = groups.get(audience, (audience,))
            # One group of the tailnet is told apart from another by nothing but an entry point of its own.
            own_entry = audience in self.ingress.audiences or any(":" in member for member in members)
            names += [audience] if own_entry else members
        if self.ingress.manage == "yes" and route.entry is None:
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
        name = next((name for name in names if certifies(name, host)), None)
        if names and name is None:
            self.draft.refuse(
                f"{where}.host",
                f"{host} is not covered by the certificate ({', '.join(names)}); a wildcard covers exactly one level",
                f'add "*.{host.partition(".")[2]}" to certificate.names, '
                f"or choose a host directly below {self.draft.config.domain}",
            )
        return name


def _target_tls(route: RouteConfig) -> TargetTlsPlan | None:
    if route.scheme != "https":
        return None
    return TargetTlsPlan(
        verify=route.verify is not False,
        ca=SecretRef(route.ca) if route.ca is not None else None,
        server_name=route.server_name,
    )


def check_audiences(draft: Draft, ingress: IngressConfig) -> None:
    """Refuse audiences that are nobody, mean two things, or cannot be told apart."""
    known = [*known_audiences(draft), *draft.config.audiences]
    check_ports(draft, ingress)
    check_tls(draft, ingress)
    for name in sorted(ingress.audiences):
        if name not in known:
            draft.refuse(
                f"ingress.audiences.{name}", f'there is no audience "{name}"', did_you_mean(name, known)
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
    for path in dict.fromkeys(declared.where.partition(".route")[0] for declared in declared_routes(draft)):
        draft.refuse(f"{path}.route", "there is no ingress to serve it", "declare ingress")
