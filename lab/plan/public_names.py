"""How each route's host name is found in public: what its own declaration, the lab's and its audiences make of it."""

from lab.config.routes import RouteConfig
from lab.plan.draft import Draft
from lab.plan.records import Publication

_THROUGH_CLOUDFLARE = ("proxied", "tunnel")


class Publications:
    """The publications of one lab's host names, while they are resolved."""

    def __init__(self, draft: Draft) -> None:
        self._draft, self._dns = draft, draft.config.dns
        self._seen: dict[str, tuple[Publication, str]] = {}

    def of(self, route: RouteConfig, host: str, audiences: tuple[str, ...], where: str) -> Publication:
        """How a route is published.

        Args:
            route: as declared.
            host: its full host name.
            audiences: whom it is for.
            where: its path in the lab file.
        """
        found = self._declared(route, audiences, where) if route.dns else self._default(host, audiences)
        other, place = self._seen.setdefault(host, (found, where))
        if other != found:
            self._draft.refuse(
                f"{where}.dns",
                f"the record of {host} is {found} here and {other} at {place}, and it is one record",
                "write the same dns for both",
            )
        return found

    def _declared(self, route: RouteConfig, audiences: tuple[str, ...], where: str) -> Publication:
        assert route.dns is not None
        if route.dns != "none" and self._dns.provider == "none":
            self._draft.refuse(
                f"{where}.dns", "nobody serves a public zone of this lab", "write dns: {provider: cloudflare}"
            )
        if route.dns in _THROUGH_CLOUDFLARE and "internet" not in audiences:
            self._draft.refuse(
                f"{where}.dns",
                f"{route.dns} leads visitors from the internet here, and the route is for {', '.join(audiences)}",
                "write direct or none, or add internet to its audience",
            )
        if route.dns == "none" and self._dns.records == "wildcard":
            self._draft.refuse(
                f"{where}.dns",
                "the one record for all answers for this name too",
                "write records: per-route under dns of the lab, or leave dns out here",
            )
        return self._with_tunnel(route.dns)

    def _default(self, host: str, audiences: tuple[str, ...]) -> Publication:
        dns = self._dns
        if dns.provider == "none" or dns.records == "none":
            return "none"
        if dns.records == "wildcard" and host.endswith(f".{self._draft.config.domain}"):
            if self.mode in _THROUGH_CLOUDFLARE and "internet" not in audiences:
                self._draft.refuse(
                    "dns.records",
                    f"one {self.mode} record for all leads visitors from the internet to {host} too, "
                    f"which is for {', '.join(audiences)}",
                    "write records: per-route",
                )
            return "wildcard"
        return self._with_tunnel(self.mode) if "internet" in audiences else "direct"

    @property
    def mode(self) -> Publication:
        """How records of internet routes lead here where nothing else is said."""
        ingress = self._draft.config.ingress
        follows: Publication = "tunnel" if ingress is not None and ingress.tls == "tunnel" else "direct"
        return self._dns.mode or follows

    def _with_tunnel(self, publication: Publication) -> Publication:
        if publication == "tunnel" and self._dns.tunnel is None:
            self._draft.refuse(
                "dns.tunnel",
                "a record leads to the tunnel, and nothing says which",
                "write its id, which the dashboard shows beside it",
            )
        return publication
