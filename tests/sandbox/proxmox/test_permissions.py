"""Who may do what: roles, paths, propagation, groups, pools, and tokens with and without rights of their own."""

from typing import Any

import pytest
from proxmoxer import ProxmoxAPI

from sandbox.proxmox.access import directory as directories
from sandbox.proxmox.access.checks import Caller, require_permission
from sandbox.proxmox.access.permissions import privileges
from sandbox.proxmox.description import ApiDescription
from sandbox.proxmox.errors import ApiError
from tests.sandbox.proxmox.doubles import Api, as_token

USER, TOKEN = "ops@pve", "ops@pve!ci"


def directory(
    *entries: tuple[str, str, str, int], privsep: int = 1, pools: Any = None
) -> directories.Directory:
    """A user in group `admins` with a token, and these entries: path, who, role, propagate."""
    user = directories.new_user() | {"groups": ["admins"]}
    user["tokens"]["ci"] = {"settings": {"privsep": privsep, "expire": 0}, "digest": ""}
    acl = [
        {"path": path, "type": kind(who), "ugid": who, "roleid": role, "propagate": propagate}
        for path, who, role, propagate in entries
    ]
    users = {"root@pam": directories.new_user(), USER: user}
    own = {"Auditing": ["VM.Audit"]}
    return {"users": users, "groups": {"admins": {}}, "roles": own, "acl": acl, "pools": pools or {}}


def kind(who: str) -> str:
    """Which kind of entry a name makes."""
    return "token" if "!" in who else "user" if "@" in who else "group"


@pytest.mark.parametrize(
    ("entries", "who", "path", "has"),
    [
        pytest.param([("/", USER, "PVEVMAdmin", 1)], USER, "/vms/201", True, id="propagates"),
        pytest.param([("/vms", USER, "PVEVMAdmin", 0)], USER, "/vms/201", False, id="does-not-propagate"),
        pytest.param([("/vms", USER, "PVEVMAdmin", 0)], USER, "/vms", True, id="holds-at-the-path-itself"),
        pytest.param([("/vms/20", USER, "PVEVMAdmin", 1)], USER, "/vms/201", False, id="paths-are-whole-names"),
        pytest.param([("/", "admins", "PVEVMAdmin", 1)], USER, "/vms/201", True, id="by-group"),
        pytest.param(
            [("/", USER, "PVEVMAdmin", 1), ("/vms/201", USER, "PVEAuditor", 1)], USER, "/vms/201", False,
            id="below-replaces-above",
        ),
        pytest.param(
            [("/vms/201", USER, "PVEAuditor", 1), ("/vms/201", "admins", "PVEVMAdmin", 1)], USER, "/vms/201", False,
            id="the-user-comes-before-the-group",
        ),
        pytest.param(
            [("/", USER, "PVEVMAdmin", 1), ("/vms/201", USER, "NoAccess", 1), ("/vms/201", USER, "PVEVMAdmin", 1)],
            USER, "/vms/201", False, id="no-access-leaves-nothing",
        ),
        pytest.param([("/", USER, "PVEVMAdmin", 1)], TOKEN, "/vms/201", False, id="a-token-has-nothing-of-its-own"),
        pytest.param(
            [("/", USER, "PVEVMAdmin", 1), ("/vms", TOKEN, "PVEVMAdmin", 1)], TOKEN, "/vms/201", True,
            id="user-and-token",
        ),
        pytest.param([("/vms", TOKEN, "PVEVMAdmin", 1)], TOKEN, "/vms/201", False, id="no-more-than-the-user"),
        pytest.param(
            [("/", USER, "PVEVMAdmin", 1), ("/", "root@pam!x", "Administrator", 1)], "root@pam!x", "/vms/201", False,
            id="a-token-that-does-not-exist",
        ),
        pytest.param([], "root@pam", "/vms/201", True, id="root"),
    ],
)  # fmt: skip
def test_privileges_follow_paths(entries: list[Any], who: str, path: str, has: bool) -> None:
    """Inheritance, replacement, NoAccess and privilege separation are Proxmox VE's."""
    assert ("VM.PowerMgmt" in privileges(directory(*entries), who, path)) is has


def test_a_token_without_separation_has_its_users_rights() -> None:
    """Its own entries do not count then."""
    found = directory(("/vms", USER, "PVEVMUser", 1), privsep=0)
    assert privileges(found, TOKEN, "/vms/201") == privileges(found, USER, "/vms/201") != {}


def test_a_pool_passes_its_roles_to_its_guests_and_storages() -> None:
    """Guests get them unless NoAccess stands on the guest itself; they do not propagate further."""
    pools = {"lab": {"comment": "", "vms": ["201"], "storage": ["tank"]}}
    found = directory(("/pool/lab", USER, "PVEVMAdmin", 1), pools=pools)
    assert privileges(found, USER, "/vms/201")["VM.PowerMgmt"] is False
    assert "VM.PowerMgmt" in privileges(found, USER, "/storage/tank")
    assert privileges(found, USER, "/vms/202") == {}
    found["acl"].append(directory(("/vms/201", USER, "NoAccess", 1))["acl"][0])
    assert privileges(found, USER, "/vms/201") == {}


@pytest.mark.parametrize(
    ("method", "template", "values", "entries", "problem"),
    [
        ("GET", "/version", {}, [], None),
        ("GET", "/nodes/{node}/dns", {"node": "a"}, [], "Permission check failed (/nodes/a, Sys.Audit)"),
        ("GET", "/nodes/{node}/dns", {"node": "a"}, [("/nodes/a", USER, "PVEAuditor", 0)], None),
        ("PUT", "/nodes/{node}/qemu/{vmid}/config", {"vmid": "201"},
         [("/vms", USER, "PVEVMUser", 1)], None),
        ("PUT", "/nodes/{node}/lxc/{vmid}/config", {"vmid": "201"}, [("/vms", USER, "PVEVMUser", 1)],
         "Permission check failed (/vms/201, VM.Config.Disk|VM.Config.CPU|VM.Config.Memory|VM.Config.Network|"
         "VM.Config.Options)"),
        ("GET", "/cluster/mapping/pci/{id}", {"id": "gpu"}, [], "Permission check failed"),
        ("GET", "/cluster/mapping/pci/{id}", {"id": "gpu"}, [("/mapping", USER, "PVEMappingUser", 1)], None),
        ("POST", "/nodes/{node}/storage/{storage}/download-url", {"node": "a", "storage": "local"},
         [("/storage", USER, "PVEDatastoreAdmin", 1)], "Permission check failed"),
        ("POST", "/nodes/{node}/storage/{storage}/download-url", {"node": "a", "storage": "local"},
         [("/storage", USER, "PVEDatastoreAdmin", 1), ("/nodes/a", USER, "Administrator", 1)], None),
        ("POST", "/nodes/{node}/qemu/{vmid}/clone", {"vmid": "9000", "newid": "201"},
         [("/vms/9000", USER, "PVETemplateUser", 1)], "Permission check failed"),
        ("POST", "/nodes/{node}/qemu/{vmid}/clone", {"vmid": "9000", "newid": "201", "pool": "lab"},
         [("/vms/9000", USER, "PVETemplateUser", 1), ("/pool/lab", USER, "PVEVMAdmin", 1)], None),
        ("PUT", "/access/acl", {"path": "/vms/201"}, [("/vms", USER, "PVEVMAdmin", 1)], None),
        ("PUT", "/access/acl", {"path": "/"}, [("/vms", USER, "PVEVMAdmin", 1)],
         "Permission check failed (/, Permissions.Modify)"),
        ("PUT", "/access/password", {"userid": USER}, [], None),
        ("PUT", "/access/password", {"userid": "root@pam"}, [], "Permission check failed"),
        ("POST", "/access/users", {"userid": "x@pve"}, [("/access/realm/pve", USER, "PVEUserAdmin", 1)],
         "Permission check failed (/access/groups, User.Modify)"),
        ("POST", "/access/users", {"userid": "x@pve", "groups": "admins"},
         [("/access", USER, "PVEUserAdmin", 1)], None),
        ("GET", "/access/users/{userid}", {"userid": USER}, [("/access/groups/admins", USER, "PVEAuditor", 1)], None),
        ("GET", "/access/users/{userid}", {"userid": "root@pam"}, [("/access/groups/admins", USER, "PVEAuditor", 1)],
         "Permission check failed"),
        ("GET", "/access/users/{userid}", {"userid": "x@pve"}, [], "no such user ('x@pve')"),
    ],
)  # fmt: skip
def test_calls_need_what_the_description_says(
    description: ApiDescription,
    method: str,
    template: str,
    values: dict[str, str],
    entries: Any,
    problem: str | None,
) -> None:
    """Each form of a check, with its text where the caller lacks something."""
    caller = Caller(USER, directory(*entries))
    operation = description.operations[template][method]
    if problem is None:
        require_permission(operation.permissions, caller, values)
        return
    with pytest.raises(ApiError) as refused:
        require_permission(operation.permissions, caller, values)
    assert str(refused.value) == problem


def test_what_has_no_permissions_is_roots_alone(description: ApiDescription) -> None:
    """Not even a token of root's with every right may make such a call."""
    unnamed = [
        o for methods in description.operations.values() for o in methods.values() if o.permissions is None
    ]
    assert unnamed
    found = directory(("/", USER, "Administrator", 1))
    with pytest.raises(ApiError, match=r"user != root@pam"):
        require_permission(unnamed[0].permissions, Caller(USER, found), {})
    require_permission(unnamed[0].permissions, Caller("root@pam", found), {})


def test_a_limited_token_is_refused_before_its_parameters_are_looked_at(api: Api) -> None:
    """It sees and does what its role lets it, and no more."""
    api.bridge()
    api.image()
    api.vm()
    with as_token(api, "/vms/201", "PVEVMUser") as limited:
        assert [one["vmid"] for one in limited.ok("GET", "cluster/resources", type="vm")] == [201]
        limited.done("POST", "nodes/pve-a/qemu/201/status/start")
        assert limited.refused("DELETE", "nodes/pve-a/qemu/201", nonsense=1)[:2] == (
            403, "Permission check failed (/vms/201, VM.Allocate)",
        )  # fmt: skip
        limited.ok("PUT", "nodes/pve-a/qemu/201/config", ciuser="me")
        text = "Permission check failed (/vms/201, VM.Config.Memory)"
        assert limited.refused("PUT", "nodes/pve-a/qemu/201/config", memory=512)[:2] == (403, text)
        assert limited.refused("POST", "nodes/pve-a/qemu", vmid=202)[:2] == (403, "Permission check failed")
        assert limited.ok("GET", "nodes/pve-a/storage") == []
        assert limited.ok("GET", "access/permissions", path="/vms/201")["/vms/201"]["VM.PowerMgmt"] == 1
    api.done("POST", "nodes/pve-a/qemu/201/status/stop")
    api.done("DELETE", "nodes/pve-a/qemu/201")
    assert not any(entry["path"] == "/vms/201" for entry in api.ok("GET", "access/acl"))


def test_root_keeps_some_keys_to_itself(api: Api) -> None:
    """A token with every right still cannot set them."""
    api.bridge()
    api.image()
    api.vm()
    for key, value in (
        ("args", "-x"),
        ("hostpci0", "01:00.0"),
        ("serial0", "/dev/ttyS0"),
        ("hookscript", "local:snippets/a"),
    ):
        status, reason, _ = api.refused("PUT", "nodes/pve-a/qemu/201/config", **{key: value})
        assert (status, "only root can set" in reason) == (500, True), key
    api.ok("PUT", "nodes/pve-a/qemu/201/config", serial0="socket")


def test_a_ticket_lets_a_user_in(api: Api) -> None:
    """With its password and the token against forged writes; a wrong password, user or token does not."""
    api.ok("POST", "access/users", userid="me@pve", password="correct horse")
    proxmox = ProxmoxAPI(
        "127.0.0.1", port=api.port, user="me@pve", password="correct horse", verify_ssl=str(api.ca)
    )
    assert proxmox.version.get()["release"] == "9.2"
    proxmox.access.password.put(userid="me@pve", password="battery staple")
    proxmox._store["session"].close()
    assert api.refused("POST", "access/ticket", username="me@pve", password="correct horse")[0] == 401
    found = api.ok("POST", "access/ticket", username="me", realm="pve", password="battery staple")
    del api.session.headers["Authorization"]
    api.session.headers["Cookie"] = f"PVEAuthCookie={found['ticket'].replace(':', '%3A')}"
    assert api.ok("GET", "access/permissions") == {}
    assert api.refused("POST", "access/groups", groupid="x")[:2] == (
        401,
        "Permission denied - invalid csrf token",
    )
    api.session.headers["Cookie"] = f"PVEAuthCookie={found['ticket'][:-1]}%3A"
    assert api.refused("GET", "version")[:2] == (401, "invalid PVE ticket")


def test_some_calls_take_no_token(api: Api) -> None:
    """A password is changed with a ticket only."""
    status, reason, _ = api.refused("PUT", "access/password", userid="pulumi@pve", password="long enough")
    assert status == 403
    assert "not available with API token" in reason
