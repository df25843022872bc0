"""The static cloud-init file of a Docker host, placed on its node once and by hand.

It holds no secret and nothing that changes with the lab: Proxmox keeps it in clear text
on the node, and a changed file would replace the guest. What changes arrives later,
through the Docker Engine that this file installs, and so does the guard: it replaces the
table below, which lets no container's packet pass, in one transaction.
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
  - path: /etc/homelab/bootstrap.nft
    content: |
      # What holds from each boot until the guard replaces this table: no packet of a container passes.
      # The first two lines make the third one a replacement, whether the table is there or not.
      table inet homelab
      delete table inet homelab
      table inet homelab {
        chain forward {
          # All that containers send or receive is forwarded, or bridged under br_netfilter: nothing passes.
          # Before Docker's chains (priority 0); what they accept stays dropped here.
          type filter hook forward priority -5; policy drop;
        }
        chain input {
          # To the host itself. The names of Docker's bridges; the host's own interfaces have others.
          type filter hook input priority -5; policy accept;
          iifname "br-*" drop
          iifname "docker0" drop
        }
      }
  - path: /etc/systemd/system/homelab-bootstrap.service
    content: |
      [Unit]
      Description=No container's packet passes until the guard is loaded
      # The configuration of nftables.service flushes all rules where somebody enables it.
      After=nftables.service
      Before=docker.service

      [Service]
      Type=oneshot
      RemainAfterExit=yes
      ExecStart=/usr/sbin/nft -f /etc/homelab/bootstrap.nft

      [Install]
      WantedBy=multi-user.target
  - path: /etc/systemd/system/docker.service.d/homelab.conf
    content: |
      # Docker does not start without the table.
      [Unit]
      Requires=homelab-bootstrap.service
      After=homelab-bootstrap.service
  - path: /etc/docker/daemon.json
    content: |
      {"live-restore": true, "log-driver": "local"}
  - path: /etc/modules-load.d/homelab.conf
    content: |
      br_netfilter
  - path: /etc/sysctl.d/90-homelab.conf
    content: |
      # Else packets between two containers of one bridge never meet a rule.
      net.bridge.bridge-nf-call-iptables = 1
      net.bridge.bridge-nf-call-ip6tables = 1
      net.ipv6.conf.all.disable_ipv6 = 1
runcmd:
  # On the first boot the installation of docker.io has started Docker before this. It has no container yet, and
  # the files above were written before it was installed.
  - [systemctl, daemon-reload]
  - [systemctl, restart, systemd-modules-load]
  - [sysctl, --system]
  - [systemctl, enable, --now, homelab-bootstrap]
  - [systemctl, enable, --now, docker, qemu-guest-agent]
"""


def docker_host() -> str:
    """The file, the same for every Docker host.

    That packets between containers of one bridge meet no rule without `bridge-nf-call-iptables`, and that
    containers reach their host through every bridge, was measured on Docker Engine 20.10 and 28.5.
    """
    return _DOCKER_HOST
