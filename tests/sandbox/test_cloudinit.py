"""Reading cloud-config files: what is taken from them, and what is refused with which words."""

import pytest

from sandbox.cloudinit import WrittenFile, read_cloud_config
from sandbox.errors import SandboxError

WHOLE = """\
#cloud-config
package_update: true
packages: [docker.io, nftables]
write_files:
  - path: /etc/homelab/rules.nft
    permissions: "0600"
    owner: root:root
    content: |
      table inet lab
  - path: /etc/empty
runcmd:
  - [sysctl, --system]
  - echo hello > /etc/hello
users: []
"""


def test_a_whole_file() -> None:
    """Packages, files with their modes and commands are read; the other keys are named in order."""
    config = read_cloud_config(WHOLE, "docker.yaml")
    assert config.packages == ("docker.io", "nftables")
    assert config.files == (
        WrittenFile(path="/etc/homelab/rules.nft", content="table inet lab\n", mode=0o600),
        WrittenFile(path="/etc/empty", content="", mode=0o644),
    )
    assert config.commands == (("sysctl", "--system"), ("echo hello > /etc/hello",))
    assert config.not_played == ("package_update", "users")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("packages: docker.io", "docker.yaml: packages is no list; write its entries with a leading dash"),
        ("packages: [1]", "docker.yaml: packages has the entry 1, which is no text; put it in quotes"),
        ("runcmd: [[sleep, 1]]", "a command of runcmd has the entry 1, which is no text"),
        ("runcmd: [[]]", "docker.yaml: runcmd has the entry [], which is no text"),
        ("write_files: [{content: x}]", "write_files has an entry without `path`"),
        ("write_files: [{path: etc/x}]", "write_files has the path etc/x; write it in full, as /etc/name"),
        ("write_files: [{path: /etc/../root/x}]", "write_files has the path /etc/../root/x;"),
        ("write_files: [{path: /etc//x}]", "write_files has the path /etc//x;"),
        (
            "write_files: [{path: /etc/x, encoding: gzip, append: true}]",
            "docker.yaml: the sandbox does not play append, encoding of /etc/x in write_files; leave it out",
        ),
        (
            "write_files: [{path: /etc/x, owner: www-data}]",
            "/etc/x is to belong to www-data; files here are root's",
        ),
        (
            "write_files: [{path: /etc/x, permissions: 420}]",
            "/etc/x has the permissions 420; write them in quotes",
        ),
        ("write_files: [{path: /etc/x, content: 5}]", "content of /etc/x in write_files has the entry 5,"),
        ("packages: [", "docker.yaml is not YAML: while parsing"),
        ("- a", "docker.yaml has no keys; a cloud-config file is a mapping"),
    ],
)
def test_what_cannot_be_played_is_refused(body: str, message: str) -> None:
    """The sentence names the file, the key and the repair; nothing is dropped in silence."""
    with pytest.raises(SandboxError) as caught:
        read_cloud_config(f"#cloud-config\n{body}\n", "docker.yaml")
    assert message in str(caught.value)


def test_a_file_without_the_head_is_none() -> None:
    """cloud-init would not read it as a cloud-config either."""
    with pytest.raises(SandboxError, match="is no cloud-config file: its first line has to be #cloud-config"):
        read_cloud_config("packages: [docker.io]\n", "docker.yaml")
