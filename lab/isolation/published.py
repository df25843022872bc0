"""Ports of Docker hosts at which a container answers, and not the host itself."""

from lab.flows import Endpoint, Port
from lab.isolation.reach import Reach

Behind = dict[tuple[Endpoint, Port], tuple[tuple[Endpoint, Port], ...]]


def containers_behind(reach: Reach) -> Behind:
    """Each published port of each Docker host, with the containers and their own ports that it leads to.

    Who reaches such a port reaches those, and not the host: answers tell both, and are told once. For a container
    in internal networks only Docker publishes nothing, so that its port is the host's own.
    """
    found: Behind = {}
    networks = reach.directory.networks
    for endpoint, container in reach.directory.containers.items():
        ports, attached = container.service.published, container.service.attachments
        if not ports or all(networks[container.host, a.network].internal for a in attached):
            continue
        for published in ports:
            key = reach.grounds.host_endpoint(container.host), Port(published.external, published.protocol)
            inner = endpoint, Port(published.internal, published.protocol)
            found[key] = (*found.get(key, ()), inner)
    return found
