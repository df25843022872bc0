"""The static cloud-init file of a Docker host, placed on its node once and by hand.

It holds no secret and nothing that changes with the lab: Proxmox keeps it in clear text
on the node, and a changed file would replace the guest. What changes arrives later,
through the Docker Engine that this file installs.
"""

_DOCKER_HOST = """\
#cloud-config
# A guest that runs Docker. Lies on its node as snippets/homelab-docker.yaml of the storage that holds images.
package_update: true
packages:
  - docker.io
  - nftables
  - qemu-guest-agent
write_files:
  - path: /etc/docker/daemon.json
    content: |
      {"live-restore": true, "log-driver": "local", "userland-proxy": false}
  - path: /etc/sysctl.d/90-homelab.conf
    content: |
      net.ipv6.conf.all.disable_ipv6 = 1
runcmd:
  - [sysctl, --system]
  - [systemctl, enable, --now, docker, qemu-guest-agent]
"""


def docker_host() -> str:
    """The file, the same for every Docker host."""
    return _DOCKER_HOST
