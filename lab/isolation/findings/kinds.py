"""Every kind of finding with what it means in one line; docs/reading-the-matrix.md prints this list."""

from collections.abc import Mapping

KINDS: Mapping[str, str] = {
    "blocked-flow": "a declared or derived flow that some layer closes",
    "layers-disagree": "the same, where another layer lets it through",
    "shadowed-flow": "a declared flow that another one holds entirely, so that removing it closes nothing",
    "unused-flow": "a declared flow for nobody, or to a port on which nothing listens",
    "contradicting-flow": "a flow that opens what a sentence under `expect` wants closed",
    "root-by-docker-socket": "a service that mounts the raw Docker socket",
    "root-by-docker-api": "a service whose rights at the Docker API are root on its host, and whose lab accepts it",
    "root-by-binds": "a service that has the Docker socket by a folder or file of the host",
    "root-by-privileged": "a privileged service",
    "root-by-capabilities": "a service that keeps a capability with which it is root on its host",
    "root-by-host-processes": "a service that sees the host's processes and may trace them",
    "root-by-host-network": "a service on the host's network that may change the host's packet filter",
    "sees-by-docker-api": "a service whose rights at the Docker API show variables, command lines or files of others",
    "sees-by-binds": "a service that reads the host's own settings",
    "sees-by-host-network": "a service that shares the network of its host and sends as the host",
    "database-on-shared-network": "a database that a service without need of it reaches, or may reach",
    "published-past-the-firewall": "a published port on a host where no guard runs: Docker lets it past ufw",
    "names-leave": "a container that may ask for names outside although no flow permits it",
    "public-name-leads-inside": "a route for the internet whose public record holds a private address",
    "needless-public-name": "a public record with a private address, for a name that the resolver inside answers",
    "open-to-the-internet": "a route for the internet that asks for nothing",
    "wider-audience": "somebody gets to a route and is none of its audiences",
    "unverified-target": "a target of a route whose certificate the ingress does not check",
    "address-proves-little": "a list of allowed addresses, where many visitors have one address",
    "firewall-flag-missing": "rules that Proxmox may ignore, because one of its three flags is not set here",
    "trunk": "an interface that carries several VLANs",
    "boot-order-cycle": "machines that each wait for the other after a power failure",
    "single-router": "one guest routes for everybody and has no place in the order of starting",
}
