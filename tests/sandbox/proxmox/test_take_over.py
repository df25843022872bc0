"""A daemon that was killed between the books of the API and those of its host: the next one makes them agree."""

from sandbox.proxmox import records
from sandbox.proxmox.guest_config import forget
from sandbox.proxmox.power import UNFINISHED, Power
from sandbox.proxmox.tasks import Tasks
from sandbox.store import Store
from tests.sandbox.proxmox.doubles import TOKEN, Api, RecordingHost

CURRENT = "nodes/pve-a/qemu/201/status/current"


def _next_daemon(store: Store, host: RecordingHost) -> None:
    tasks = Tasks(store)
    Power(store, host, forget).take_over(tasks, TOKEN.partition("=")[0])
    tasks.close()


def _vm(api: Api) -> None:
    api.bridge()
    api.image()
    api.vm(201)


def test_a_guest_that_was_told_to_start_counts_as_running(
    api: Api, host: RecordingHost, store: Store
) -> None:
    """The host had its order and the record had not changed yet: afterwards both say that it runs."""
    _vm(api)
    with store.transaction() as t:
        host.start(records.spec(records.load(t, "qemu", "pve-a", 201)))
    assert api.ok("GET", CURRENT)["status"] == "stopped"
    _next_daemon(store, host)
    assert api.ok("GET", CURRENT)["status"] == "running"


def test_a_guest_that_was_told_to_stop_counts_as_stopped(api: Api, host: RecordingHost, store: Store) -> None:
    """Its record says that it runs; it can be started again, which a running one cannot."""
    _vm(api)
    api.done("POST", "nodes/pve-a/qemu/201/status/start")
    host.stop(201)
    _next_daemon(store, host)
    with store.transaction() as t:
        assert not records.load(t, "qemu", "pve-a", 201)["running"]
    api.done("POST", "nodes/pve-a/qemu/201/status/start")


def test_a_destruction_that_was_begun_is_ended(api: Api, host: RecordingHost, store: Store) -> None:
    """What the host removed cannot come back, so the guest goes, with volumes, firewall and place in a pool."""
    _vm(api)
    api.ok("POST", "pools", poolid="lab")
    api.ok("PUT", "pools/lab", vms="201")
    api.ok("PUT", "nodes/pve-a/qemu/201/firewall/options", enable=1)
    with store.transaction() as t:
        t.put(UNFINISHED, "201", "destroy")
    _next_daemon(store, host)
    assert host.calls == [("destroy", 201)]
    assert api.ok("GET", "nodes/pve-a/qemu") == []
    assert api.ok("GET", "nodes/pve-a/storage/local-lvm/content") == []
    with store.transaction() as t:
        assert t.list("pve/firewall") == []
        assert t.list(UNFINISHED) == []
    api.vm(201)
    assert api.ok("GET", "pools/lab")["members"] == [], "the next guest of that number is another one"


def test_the_second_half_of_a_reboot_follows(api: Api, host: RecordingHost, store: Store) -> None:
    """A guest that was stopped for its reboot runs again; one that was rebooted in peace leaves nothing to do."""
    _vm(api)
    api.done("POST", "nodes/pve-a/qemu/201/status/start")
    api.done("POST", "nodes/pve-a/qemu/201/status/reboot")
    with store.transaction() as t:
        assert t.list(UNFINISHED) == []
        t.put(UNFINISHED, "201", "start")
    host.stop(201)
    _next_daemon(store, host)
    assert api.ok("GET", CURRENT)["status"] == "running"
