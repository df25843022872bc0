"""What an authoritative server says about a name: the algorithm of RFC 1034, section 4.3.2, over Cloudflare's records.

Three things are Cloudflare's own: a proxied record shows an address of the proxy instead of its content; a CNAME at
the apex, or with `flatten_cname`, shows the addresses that it leads to; and TXT, MX and CAA may stand beside a CNAME,
so that what is asked for comes before the CNAME.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import dns.name
import dns.rcode
import dns.rrset
from dns.rcode import Rcode
from dns.rdatatype import RdataType
from dns.rrset import RRset

from sandbox.cloudflare.contents import PROXIABLE
from sandbox.dns.rdata import AUTOMATIC_SECONDS, PROXY_ADDRESS, from_record, from_text, seconds
from sandbox.dns.zones import Record, Zone

# Whoever waits for a record of its own asks again and again, and what is not there yet must not be remembered. Also
# the TTL of "there is none" (RFC 2308, section 5).
SOA_SECONDS = 5
NS_SECONDS = 86400
_HOSTMASTER = "dns.cloudflare.com."
_REFRESH, _RETRY, _EXPIRE = 10000, 2400, 604800
# No chain of a home lab is longer, and a loop ends.
_LONGEST_CHAIN = 8
_ADDRESSES = (RdataType.A, RdataType.AAAA)


@dataclass(kw_only=True)
class Found:
    """What there is to say about a name.

    Attributes:
        rcode: NOERROR also where the name exists and has nothing of the type.
        is_authoritative: whether it is said with authority; a referral is not.
        answer: the records asked for, after the CNAMEs that lead to them.
        authority: the SOA where there is no answer, the name servers of a referral.
    """

    rcode: Rcode = dns.rcode.NOERROR
    is_authoritative: bool = True
    answer: list[RRset] = field(default_factory=list)
    authority: list[RRset] = field(default_factory=list)


def find(zones: Sequence[Zone], name: dns.name.Name, kind: RdataType, serial: int) -> Found:
    """What the zones say about a name.

    Args:
        zones: all that there are.
        name: whose records.
        kind: their type.
        serial: of every SOA; grows with time (RFC 1982).
    """
    search = _Search(zones, kind, serial)
    following: dns.name.Name | None = name
    for _ in range(_LONGEST_CHAIN):
        if following is None:
            break
        following = search.step(following)
    if following is not None:
        search.leave()
    return search.found


class _Search:
    """From name to name along CNAMEs.

    Args:
        zones: all that there are.
        kind: the type asked for.
        serial: of every SOA.
    """

    def __init__(self, zones: Sequence[Zone], kind: RdataType, serial: int) -> None:
        self.found = Found()
        self._zones = zones
        self._kind = kind
        self._serial = serial
        # Whose addresses the CNAMEs to come are shown as; those are not shown themselves.
        self._flat: tuple[Zone, dns.name.Name] | None = None

    def step(self, name: dns.name.Name) -> dns.name.Name | None:
        """Say what there is to say about one name; answers the next one of the chain."""
        zone = _zone_of(self._zones, name)
        if zone is None or (cut := _cut(zone, name)):
            self.leave(None if zone is None else cut)
            return None
        records = _records_at(zone, name)
        if records is None:
            self._end(zone, dns.rcode.NXDOMAIN)
            return None
        alias = _alias(records)
        flat = alias is not None and (name == zone.apex or bool(alias["settings"].get("flatten_cname")))
        if answer := self._answer(zone, name, [record for record in records if not flat or record != alias]):
            self.found.answer.append(answer)
            return None
        if alias is None or (flat and self._kind not in _ADDRESSES):
            self._end(zone, dns.rcode.NOERROR)
            return None
        link = _rrset(name, [alias], RdataType.CNAME)
        if flat:
            self._flat = self._flat or (zone, name)
        if self._flat is None:
            self.found.answer.append(link)
        target: dns.name.Name = link[0].target
        return target

    def _answer(self, zone: Zone, name: dns.name.Name, records: list[Record]) -> RRset | None:
        """The records of the type, under the name for which they are shown."""
        kind, owner = self._kind, self._flat[1] if self._flat else name
        if name == zone.apex and kind == RdataType.SOA:
            return _soa(zone, self._serial)
        if name == zone.apex and kind == RdataType.NS:
            servers = [from_text(RdataType.NS, server.to_text()) for server in zone.name_servers]
            return dns.rrset.from_rdata_list(owner, NS_SECONDS, servers)
        if kind == RdataType.ANY:
            # All that a server need say to ANY (RFC 8482, section 4.2), and what Cloudflare says.
            return dns.rrset.from_rdata(owner, NS_SECONDS, from_text(RdataType.HINFO, '"RFC8482" ""'))
        if kind in (*_ADDRESSES, RdataType.CNAME) and any(_is_proxied(record) for record in records):
            if kind != RdataType.A:
                return None
            return dns.rrset.from_rdata(owner, AUTOMATIC_SECONDS, from_text(kind, PROXY_ADDRESS))
        chosen = [record for record in records if record["type"] == kind.name and from_record(record)]
        return _rrset(owner, chosen, kind) if chosen else None

    def leave(self, cut: RRset | None = None) -> None:
        """The chain leads on where nothing is said: to other name servers, to nobody here, or too far."""
        found = self.found
        if self._flat is not None:
            # Its addresses would have to be asked for elsewhere.
            found.rcode, found.is_authoritative = dns.rcode.SERVFAIL, False
            found.answer.clear()
        elif cut is not None:
            found.authority.append(cut)
            found.is_authoritative = bool(found.answer)
        elif not found.answer:
            found.rcode, found.is_authoritative = dns.rcode.REFUSED, False

    def _end(self, zone: Zone, rcode: Rcode) -> None:
        """There is nothing; of a chain, the code is about its last name (RFC 6604, section 3)."""
        if self._flat is not None:
            zone, rcode = self._flat[0], dns.rcode.NOERROR
        self.found.rcode = rcode
        self.found.authority.append(_soa(zone, self._serial))


def _zone_of(zones: Sequence[Zone], name: dns.name.Name) -> Zone | None:
    """The zone of a name: the closest one above it."""
    above = [zone for zone in zones if name.is_subdomain(zone.apex)]
    return max(above, key=lambda zone: len(zone.apex.labels), default=None)


def _cut(zone: Zone, name: dns.name.Name) -> RRset | None:
    """The name servers to which the zone has given away this name, or one above it."""
    below_apex = []
    while name != zone.apex:
        below_apex.append(name)
        name = name.parent()
    for owner in reversed(below_apex):
        servers = [record for record in zone.nodes.get(owner, []) if record["type"] == "NS"]
        if servers:
            return _rrset(owner, servers, RdataType.NS)
    return None


def _records_at(zone: Zone, name: dns.name.Name) -> list[Record] | None:
    """The records of a name, or those of the wildcard that stands for it (RFC 4592); None: it does not exist."""
    if name in zone.nodes:
        return zone.nodes[name]
    encloser = name.parent()
    while encloser not in zone.nodes:
        encloser = encloser.parent()
    # Only the wildcard right below the closest name that exists: a name that exists hides those above it.
    return zone.nodes.get(dns.name.Name((b"*", *encloser.labels)))


def _alias(records: list[Record]) -> Record | None:
    """The CNAME that leads on; a proxied one does not show where."""
    return next((record for record in records if record["type"] == "CNAME" and not _is_proxied(record)), None)


def _is_proxied(record: Record) -> bool:
    return record["type"] in PROXIABLE and bool(record["proxied"])


def _rrset(owner: dns.name.Name, records: list[Record], kind: RdataType) -> RRset:
    """Records of one name and type, with the shortest of their TTLs (RFC 2181, section 5.2)."""
    made = [found for record in records if (found := from_record(record))]
    return dns.rrset.from_rdata_list(owner, min(map(seconds, records)), made)


def _soa(zone: Zone, serial: int) -> RRset:
    names = f"{zone.name_servers[0]} {_HOSTMASTER}"
    text = f"{names} {serial} {_REFRESH} {_RETRY} {_EXPIRE} {SOA_SECONDS}"
    return dns.rrset.from_rdata(zone.apex, SOA_SECONDS, from_text(RdataType.SOA, text))
