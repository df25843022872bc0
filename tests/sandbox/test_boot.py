"""What a start does with a guest's cloud-init file, and what it says that it does not do."""

import pytest

from lab.render.bootstrap import docker_host
from sandbox.boot import Boot, plan_boot, with_name_servers
from sandbox.cloudinit import CloudConfig, WrittenFile, read_cloud_config
from sandbox.errors import SandboxError


def config(*commands: tuple[str, ...], **files: str) -> CloudConfig:
    """A file that writes some files (`etc__a` is /etc/a) and runs some commands."""
    written = [
        WrittenFile(path="/" + name.replace("__", "/"), content=text, mode=0o644)
        for name, text in files.items()
    ]
    return CloudConfig(packages=(), files=tuple(written), commands=commands, not_played=())


def settings(text: str) -> Boot:
    """The boot of a file that writes these settings."""
    file = WrittenFile(path="/etc/sysctl.d/90-x.conf", content=text, mode=0o644)
    return plan_boot(CloudConfig(packages=(), files=(file,), commands=(), not_played=()))


def test_the_file_of_a_docker_host_is_played_whole() -> None:
    """Its rules, its settings and its engine options are in force; three things are named as not done."""
    boot = plan_boot(read_cloud_config(docker_host(), "homelab-docker.yaml"))
    assert boot.rules == ("/etc/homelab/bootstrap.nft",)
    assert boot.settings == (
        ("net/bridge/bridge-nf-call-iptables", "1"),
        ("net/bridge/bridge-nf-call-ip6tables", "1"),
        ("net/ipv6/conf/all/disable_ipv6", "1"),
    )
    assert boot.engine_options == {"log-driver": "local"}
    assert boot.notes == (
        "packages are not installed, the sandbox brings its own: docker.io, nftables, qemu-guest-agent",
        "keys that the sandbox does not play: package_update",
        "the engine's option live-restore is not used: the engine and its containers are stopped with their guest",
    )


def test_a_guest_without_a_file_does_nothing() -> None:
    """No file, no rule, no option."""
    assert plan_boot(None) == Boot(engine_options={})


def test_only_rule_files_of_the_lab_are_loaded_in_order_of_their_names() -> None:
    """Files that end in .nft below /etc/homelab, and no other."""
    written = {
        "etc__homelab__b.nft": "", "etc__homelab__a.nft": "", "etc__homelab__c.conf": "", "etc__nftables.nft": ""
    }  # fmt: skip
    assert plan_boot(config(**written)).rules == ("/etc/homelab/a.nft", "/etc/homelab/b.nft")


def test_settings_are_read_as_sysctl_reads_them() -> None:
    """Comments and blank lines are passed over, and a name with slashes may have dots in it."""
    text = "# a\n; b\n\n net.ipv4.ip_forward=1 \n-net/ipv4/conf/eth0.20/forwarding = 0\n"
    assert settings(text).settings == (
        ("net/ipv4/ip_forward", "1"), ("net/ipv4/conf/eth0.20/forwarding", "0"),
    )  # fmt: skip


def test_a_setting_of_the_machine_is_never_set() -> None:
    """What is not the namespace's own is named instead."""
    boot = settings("vm.swappiness = 10\nnet.ipv4.ip_forward = 1\n")
    assert boot.settings == (("net/ipv4/ip_forward", "1"),)
    assert boot.notes == ("vm/swappiness is not set: only what is below net/ is a guest's own",)


@pytest.mark.parametrize("line", ["net.ipv4.ip_forward", "= 1", "net/../kernel/hostname = x", "net..a = 1"])
def test_a_setting_that_is_none_is_refused(line: str) -> None:
    """A line without name or value, or with a path that leads elsewhere, is named."""
    with pytest.raises(SandboxError, match=r"90-x.conf has the line .*; write it as net.ipv4.ip_forward = 1"):
        settings(line)


@pytest.mark.parametrize("path", ["/root/x", "/srv/x", "/var/x", "/etcetera/x", "/usr"])
def test_a_file_outside_of_the_guests_own_folders_is_refused(path: str) -> None:
    """It would be the machine's."""
    file = WrittenFile(path=path, content="", mode=0o644)
    with pytest.raises(
        SandboxError, match=f"writes {path}, and a guest .* has files of its own in /etc, /opt, "
    ):
        plan_boot(CloudConfig(packages=(), files=(file,), commands=(), not_played=()))


def test_options_of_the_engine_are_passed_on_or_named() -> None:
    """What the sandbox itself decides is not passed on, with the reason; anything else is."""
    text = '{"icc": false, "data-root": "/data", "log-opts": {"max-size": "1m"}}'
    boot = plan_boot(config(**{"etc__docker__daemon.json": text}))
    assert boot.engine_options == {"icc": False, "log-opts": {"max-size": "1m"}}
    assert boot.notes == (
        "the engine's option data-root is not used: the sandbox decides where the engine keeps its things",
    )


@pytest.mark.parametrize(("text", "message"), [("{", "is not JSON"), ("[]", "is no JSON object")])
def test_options_that_cannot_be_read_are_refused(text: str, message: str) -> None:
    """Docker would not start with them either."""
    with pytest.raises(SandboxError, match=f"/etc/docker/daemon.json of the cloud-init file {message}"):
        plan_boot(config(**{"etc__docker__daemon.json": text}))


@pytest.mark.parametrize(
    ("command", "understood"),
    [
        (("sysctl", "--system"), True),
        (("systemctl", "daemon-reload"), True),
        (("systemctl", "enable", "--now", "docker", "qemu-guest-agent"), True),
        (("systemctl", "enable", "own.service"), True),
        (("systemctl", "restart", "systemd-modules-load"), True),
        (("systemctl", "enable", "somebody"), False),
        (("systemctl", "mask", "docker"), False),
        (("sysctl", "-w", "net.ipv4.ip_forward=1"), False),
        (("systemctl enable docker",), False),
        (("touch", "/etc/x"), False),
    ],
)
def test_a_command_that_is_not_understood_is_said_to_be_not_run(
    command: tuple[str, ...], understood: bool
) -> None:
    """Only what a start does anyway is understood, by the names of units that there are."""
    boot = plan_boot(config(command, **{"etc__systemd__system__own.service": "[Unit]\n"}))
    assert boot.notes == (() if understood else (f"not run: {' '.join(command)}",))


def test_of_two_files_with_one_path_the_later_is_written() -> None:
    """As cloud-init writes them one after the other."""
    files = tuple(WrittenFile(path="/etc/a", content=text, mode=0o644) for text in ("one", "two"))
    boot = plan_boot(CloudConfig(packages=(), files=files, commands=(), not_played=()))
    assert [file.content for file in boot.files] == ["two"]


def test_a_guest_knows_its_name_servers() -> None:
    """By a file that comes first, so that one of the cloud-init file stays; without servers there is none."""
    boot = plan_boot(config(**{"etc__resolv.conf": "own"}))
    assert with_name_servers(boot, ()) == boot
    files = with_name_servers(boot, ("10.10.10.1", "9.9.9.9")).files
    assert [(file.path, file.content) for file in files] == [
        ("/etc/resolv.conf", "nameserver 10.10.10.1\nnameserver 9.9.9.9\n"),
        ("/etc/resolv.conf", "own"),
    ]
