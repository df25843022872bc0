"""A volume with known files in it, for a container that can be given none.

The Docker provider copies files into a container's root, which a read-only container
refuses. So a loader container, created and never started, mounts the volume and carries
the files into it; the container that needs them mounts the volume read-only.

A reader that watches its files must never see none, or half of one: Traefik answers 404 for every
route until it looks again, two seconds later (`providersThrottleDuration`). So the loader of a watched
volume does run, for a moment: the files are copied beside those that are read, and renamed over them.

The volume's name holds a digest of the set of paths: a file that is dropped disappears
with its volume. Content changes replace only the loader, which writes the volume anew.
Whether the reader must restart then is its own matter: it names the loader in
`replace_with`, or it watches the volume. No digest of the content is kept anywhere,
because a digest of a weak secret is a way to guess it (and the engine, as of 3.259,
forgets a secret `replacement_trigger`).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from components.docker_host import DockerHost

_READABLE = "0444"
"""Only containers that mount the volume see it, whichever user they run as."""
NOW, _NEXT = "/now/", "/next/"
"""The folders of a watched volume: what its reader sees, and what is about to take its place."""


def _rename(mount: str) -> list[str]:
    """What the loader of a watched volume runs; a rename is one step for whoever reads (POSIX, rename)."""
    return ["sh", "-c", f"mkdir -p {mount}{NOW} && mv -f {mount}{_NEXT}* {mount}{NOW}"]


@dataclass(frozen=True, kw_only=True)
class ConfigVolumeArgs:
    """Files by their whole path, all below the place where the volume is mounted; watched ones in its folder `now`."""

    host: DockerHost
    volume: str
    """The beginning of the volume's name in the engine."""
    mount: str
    files: Mapping[str, pulumi.Input[str]]
    watched: bool = False
    """Whether its reader watches it: then its name stays when files come and go, and they are replaced at once."""


class ConfigVolume(pulumi.ComponentResource):
    """A volume, and the loader that fills it."""

    volume: pulumi.Output[str]
    """The volume's name; whoever reads the files depends on this component as well."""

    def __init__(self, name: str, args: ConfigVolumeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("homelab:index:ConfigVolume", name, {}, args.host.options(opts))
        paths = sorted(args.files)
        suffix = "" if args.watched else f"-{hashlib.sha256(repr(paths).encode()).hexdigest()[:8]}"
        volume = docker.Volume(
            name,
            name=f"{args.volume}{suffix}",
            # The old volume is in use until its reader is replaced, so the new one comes first.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[args.host], delete_before_replace=False),
        )
        self.loader = docker.Container(
            f"{name}-loader",
            name=f"{args.volume}-loader",
            image=args.host.loader_image,
            command=_rename(args.mount) if args.watched else None,
            # A stopped container is what is wanted; without must_run every refresh shows a difference.
            start=args.watched,
            must_run=False,
            network_mode="none",
            mounts=[docker.ContainerMountArgs(type="volume", target=args.mount, source=volume.name)],
            uploads=[
                docker.ContainerUploadArgs(
                    file=path.replace(NOW, _NEXT, 1) if args.watched else path,
                    content=args.files[path],
                    permissions=_READABLE,
                )
                for path in paths
            ],
            opts=pulumi.ResourceOptions(
                parent=self, delete_before_replace=True, replace_on_changes=["mounts", "#initerror"]
            ),
        )
        self.volume = volume.name
        self.register_outputs({"volume": self.volume})
