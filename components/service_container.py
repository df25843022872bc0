"""One service: its image, the files that it is given, its volumes and its container.

Shared by everything that runs a container: stacks, the ingress, subnet routers. Secure
unless the record says otherwise: no capabilities, no new privileges, no network that
was not given (never Docker's default bridge), memory without swap.

Refuses a file outside `/run/homelab` in a read-only container, because nothing can put
it there. Networks are decided elsewhere: a service joins those of its record, by the
outputs that it is handed. The container is removed before it is replaced, because its
name and addresses exist once, and is replaced where the provider would take a change
and then ignore it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_docker as docker

from components import container_settings as settings
from components.config_volume import ConfigVolume, ConfigVolumeArgs
from components.docker_host import DockerHost
from lab.errors import Issue, PlanError
from lab.names import join
from lab.plan.records import SecretFilePlan, ServicePlan

FILES_ROOT = "/run/homelab"
_IGNORED_BY_UPDATE = ["healthcheck", "tmpfs", "init", "mounts", "#initerror"]
"""The provider's update changes none of these; a failed first start would be forgotten."""


@dataclass(frozen=True, kw_only=True)
class ServiceContainerArgs:
    """A service and what it joins."""

    service: ServicePlan
    host: DockerHost
    container: str
    """The container's name in the engine, and the beginning of its volumes' names."""
    networks: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """The outputs of the networks it joins, by the names that its record uses."""
    secrets: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """The values of the secrets that it refers to, by name."""
    watched: Mapping[str, ConfigVolume] = field(default_factory=dict)
    """Volumes that it watches, by where they are mounted: new content replaces nothing."""
    sysctls: Mapping[str, str] = field(default_factory=dict)
    wait_until_healthy: bool = False
    """Whether its creation ends only when its health check has passed."""


class ServiceContainer(pulumi.ComponentResource):
    """A running container."""

    container: pulumi.Output[str]
    """Its name in the engine."""

    def __init__(
        self, name: str, args: ServiceContainerArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("homelab:index:ServiceContainer", name, {}, args.host.options(opts))
        service, host = args.service, args.host
        image = docker.RemoteImage(
            name,
            name=service.image,
            # Another container may use the same image, and a digest never goes stale.
            keep_locally=True,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[host]),
        )
        carried, uploaded = _files(args)
        given = {
            directory: ConfigVolume(
                f"{name}-{directory.rpartition('/')[2]}",
                ConfigVolumeArgs(
                    host=host,
                    volume=join(args.container, directory.rpartition("/")[2]),
                    mount=directory,
                    files=files,
                ),
                pulumi.ResourceOptions(parent=self),
            )
            for directory, files in carried.items()
        }
        data = {
            volume.mount: docker.Volume(
                f"{name}-{volume.name}",
                name=join(args.container, volume.name),
                opts=pulumi.ResourceOptions(
                    parent=self,
                    depends_on=[host],
                    delete_before_replace=True,
                    protect=volume.protect,
                    retain_on_delete=volume.protect,
                ),
            )
            for volume in service.volumes
        }
        read_only = {mount: config.volume for mount, config in {**given, **args.watched}.items()}
        container = docker.Container(
            name,
            name=args.container,
            image=image.image_id,
            labels=settings.labels(service, host.environment),
            envs=[f"{key}={value}" for key, value in sorted(_environment(service).items())],
            command=list(service.command) or None,
            user=service.user,
            read_only=service.read_only,
            tmpfs=settings.tmpfs(service),
            mounts=settings.mounts(service, {m: v.name for m, v in data.items()}, read_only),
            uploads=uploaded or None,
            devices=settings.devices(service),
            sysctls=dict(args.sysctls) or None,
            **settings.confinement(service),
            **settings.limits(service),
            **settings.connections(service, args.networks),
            healthcheck=settings.health(service),
            restart="unless-stopped",
            wait=True if args.wait_until_healthy else None,
            # Without it the provider's delete is an immediate SIGKILL.
            destroy_grace_seconds=service.stop_grace,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[host, *given.values(), *args.watched.values()],
                delete_before_replace=True,
                replace_on_changes=_IGNORED_BY_UPDATE,
                # It reads its files once, so it goes with the loader that writes them anew.
                replace_with=[config.loader for config in given.values()] or None,
            ),
        )
        self.container = container.name
        self.register_outputs({"container": self.container})


def _environment(service: ServicePlan) -> dict[str, str]:
    paths = {file.variable: file.path for file in service.secret_files if file.variable}
    return {**paths, **service.environment}


def _filled(file: SecretFilePlan, value: pulumi.Input[str]) -> pulumi.Input[str]:
    """The content of a secret's file; an output that is secret stays so."""
    if file.form == "{secret}":
        return value
    before, _, after = file.form.partition("{secret}")
    return pulumi.Output.concat(before, value, after)


def _files(
    args: ServiceContainerArgs,
) -> tuple[dict[str, dict[str, pulumi.Input[str]]], list[docker.ContainerUploadArgs]]:
    """The files that volumes carry, by directory, and those that are copied into the container."""
    service = args.service
    files: dict[str, pulumi.Input[str]] = {file.path: file.content for file in service.files}
    files.update({file.path: _filled(file, args.secrets[file.secret.name]) for file in service.secret_files})
    carried: dict[str, dict[str, pulumi.Input[str]]] = {}
    uploaded = []
    for path, content in sorted(files.items()):
        if path.startswith(f"{FILES_ROOT}/"):
            directory = "/".join(path.split("/")[:4])
            carried.setdefault(directory, {})[path] = content
        elif service.read_only:
            raise PlanError(
                [
                    Issue(
                        path=f"{service.endpoint}: files",
                        problem=f"{path} cannot be put into a read-only container",
                        repair=f"give it a path below {FILES_ROOT}/files, or leave read-only out",
                    )
                ]
            )
        else:
            uploaded.append(docker.ContainerUploadArgs(file=path, content=content, permissions="0444"))
    return carried, uploaded
