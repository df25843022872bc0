"""One service in a network of its own, on an engine that is there already."""

import pulumi

from components import DockerHost, DockerHostArgs, IsolatedServiceStack, IsolatedServiceStackArgs
from lab.plan.records import AttachmentPlan, DockerHostPlan, NetworkPlan, ServicePlan, StackPlan

engine = "ssh://docker-1.example.org"
host = DockerHostPlan(
    name="docker-1", address="10.10.20.11", connection=engine, loader_image="busybox@sha256:00"
)
network = NetworkPlan(name="vnet-web", subnet="10.128.0.0/28", gateway="10.128.0.1", interface="br-web")
joined = AttachmentPlan(network="vnet-web", address="10.128.0.2")
service = ServicePlan(name="app", image="docker.io/traefik/whoami@sha256:00", attachments=(joined,))
stack = StackPlan(name="web", host="docker-1", networks=(network,), services=(service,))
docker_1 = DockerHost("docker-1", DockerHostArgs(host=host))
made = IsolatedServiceStack("docker-1-web", IsolatedServiceStackArgs(stack=stack, host=docker_1))
pulumi.export("containers", made.containers)
