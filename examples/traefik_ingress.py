"""Traefik for one audience and one route, with a certificate that it signs itself."""

import pulumi

from components import DockerHost, DockerHostArgs, TraefikIngress, TraefikIngressArgs
from lab.flows import Endpoint
from lab.plan.records import (
    AttachmentPlan,
    DockerHostPlan,
    EntryPointPlan,
    IngressPlan,
    NetworkPlan,
    PublishedPort,
    RoutePlan,
    ServicePlan,
)

engine = "ssh://edge.example.org"
host = DockerHostPlan(name="edge", address="10.10.40.11", connection=engine, loader_image="busybox@sha256:00")
front = NetworkPlan(
    name="vnet-front", subnet="10.144.0.0/29", gateway="10.144.0.1", interface="br-front", internal=False
)
traefik = ServicePlan(
    name="traefik",
    image="docker.io/library/traefik@sha256:00",
    attachments=(AttachmentPlan(network="vnet-front", address="10.144.0.2"),),
    command=("--configFile=/run/homelab/files/traefik.yaml",),
    published=(PublishedPort(internal=443, external=443, address="10.10.40.11"),),
)
route = RoutePlan(
    name="nas",
    host="nas.example.org",
    target=Endpoint("device", "nas"),
    url="http://10.10.20.5:80",
    audiences=("lan",),
)
ingress = IngressPlan(
    host="edge",
    service=traefik,
    front=front,
    entry_points=(EntryPointPlan(audience="lan", port=443, address="10.10.40.11"),),
    routes=(route,),
)
edge = DockerHost("edge", DockerHostArgs(host=host))
made = TraefikIngress("edge-ingress", TraefikIngressArgs(ingress=ingress, host=edge))
pulumi.export("container", made.container)
