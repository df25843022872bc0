"""Starting, stopping and cleaning the sandbox of a checkout, from the outside of its daemon.

Each of these may be repeated, and repairs what a killed daemon has left.
"""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sandbox.acme.package import fetch_pebble
from sandbox.certificates import ensure_certificates
from sandbox.checkout import Checkout, cache_dir
from sandbox.docker.packages import engine_programs
from sandbox.environment import services, write_environment
from sandbox.errors import SandboxError
from sandbox.fabric.kernel import missing_rights
from sandbox.guest_tools import guest_tools
from sandbox.orphans import end_orphans
from sandbox.portfilter.report import report
from sandbox.proxmox.description import DescriptionError, fetch
from sandbox.settings import Settings, is_running, read_settings, write_settings

READY_SECONDS = 20.0
STOP_SECONDS = 60.0
LISTENING = ("proxmox", "cloudflare", "tailscale", "dns", "pebble", "pebble-management")


def start(
    checkout: Checkout,
    *,
    simulated: bool,
    zones: Sequence[str],
    secrets: Sequence[str],
    stand_ins: bool = False,
) -> Settings:
    """Start the daemon, unless it runs, and return when its APIs answer; guests may still be starting.

    Args:
        checkout: whose.
        simulated: simulate network and engines even where real ones are possible.
        zones: apexes of zones for the Cloudflare account, added to earlier ones.
        secrets: names of lab secrets to generate.
        stand_ins: run stand-ins also where a registry would serve the image.

    Raises:
        SandboxError: with the repair, when something needed is missing or taken.
    """
    checkout.require_short_path()
    checkout.make_dirs()
    end_orphans(checkout)
    earlier = read_settings(checkout)
    settings = replace(_settings(checkout, earlier, simulated, zones), stand_ins=stand_ins)
    running = is_running(checkout)
    if running and earlier is not None and earlier != settings:
        stop(checkout)
        running = False
    ensure_certificates(checkout)
    write_environment(checkout, secrets)
    if running:
        return settings
    for name in LISTENING:
        checkout.require_port(name)
    _fetch_description()
    if settings.simulated is None:
        engine_programs(cache_dir())
        guest_tools(cache_dir())
        fetch_pebble(cache_dir())
    write_settings(checkout, settings)
    _spawn(checkout)
    return settings


def stop(checkout: Checkout) -> None:
    """Stop the daemon, all guests and engines; no process, namespace or rule is left, all state is kept.

    Raises:
        SandboxError: when the daemon does not end in time.
    """
    end_orphans(checkout)
    if is_running(checkout):
        pid = _daemon_pid(checkout)
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while is_running(checkout) or not _has_ended(pid):
            if time.monotonic() > deadline:
                raise SandboxError(
                    f"the sandbox (process {pid}) does not end; see {checkout.logs_dir / 'daemon.log'}, then "
                    f"`kill -9 {pid}` and stop again"
                )
            time.sleep(0.02)
    if missing_rights() is None:
        # With it all servers are loaded, which the other verbs need not wait for.
        from sandbox.grounds import sweep

        sweep(checkout)
    if checkout.docker_dir.exists():
        for path in checkout.docker_dir.glob("*.sock"):
            path.unlink()
    checkout.control_socket.unlink(missing_ok=True)
    checkout.daemon_file.unlink(missing_ok=True)


def _has_ended(pid: int) -> bool:
    """Whether a process is gone; it gives up its lock a moment before. One that only waits to be reaped is."""
    try:
        return not Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return True


def clean(checkout: Checkout) -> None:
    """Stop, then delete everything that the sandbox keeps, Pulumi's state included."""
    stop(checkout)
    if checkout.dir.exists():
        shutil.rmtree(checkout.dir)


def status(checkout: Checkout) -> dict[str, Any]:
    """What runs: `running`, `simulated`, `services`, `guests`, `peers`, `authority`, `firewall` and `forwards`."""
    if not is_running(checkout):
        settings = read_settings(checkout)
        simulated = settings.simulated if settings else None
        return {
            "running": False,
            "simulated": simulated,
            "services": [],
            "guests": [],
            "peers": [],
            "authority": {"problem": "the sandbox is stopped", "roots": None},
            "firewall": report("the sandbox is stopped"),
            "forwards": [],
        }
    return _asked(checkout, "/status")


def queries(checkout: Checkout, name: str) -> list[dict[str, Any]]:
    """What the name server was asked for a name, of the last 10,000 queries: `name`, `type`, `client` and `time`.

    Raises:
        SandboxError: the sandbox is stopped, or does not answer.
    """
    if not is_running(checkout):
        raise SandboxError("the sandbox is stopped; start it with `python -m sandbox start`")
    found: list[dict[str, Any]] = _asked(checkout, f"/dns/queries?{urlencode({'name': name})}")["queries"]
    return found


def _asked(checkout: Checkout, path: str) -> dict[str, Any]:
    """What the daemon answers on its control socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
        stream.settimeout(30.0)
        try:
            stream.connect(str(checkout.control_socket))
            request = f"GET {path} HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\n\r\n"
            stream.sendall(request.encode())
            response = http.client.HTTPResponse(stream)
            response.begin()
            document: dict[str, Any] = json.loads(response.read())
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise SandboxError(
                f"the sandbox runs but does not answer ({error!r}); see {checkout.logs_dir / 'daemon.log'}, "
                "or run `python -m sandbox stop` and start again"
            ) from None
    return document


def _settings(
    checkout: Checkout, earlier: Settings | None, simulated: bool, zones: Sequence[str]
) -> Settings:
    kept = earlier.zones if earlier else ()
    reason = "asked for with --simulated" if simulated else missing_rights()
    settings = Settings(simulated=reason, zones=tuple(sorted({*kept, *zones})))
    if earlier is None or not checkout.guests_file.exists():
        return settings
    if (earlier.simulated is None) == (reason is None):
        return replace(settings, simulated=earlier.simulated if reason else None)
    if earlier.simulated is None:
        raise SandboxError(
            f"the guests of this sandbox ran on real engines, and now they would be simulated ({reason}); "
            "start it as before, or delete its state with `python -m sandbox clean`"
        )
    raise SandboxError(
        f"the guests of this sandbox were simulated ({earlier.simulated}), and now real engines are "
        "possible; start it with --simulated, or delete its state with `python -m sandbox clean`"
    )


def _fetch_description() -> None:
    try:
        fetch(cache_dir())
    except DescriptionError as error:
        raise SandboxError(str(error)) from None


def _spawn(checkout: Checkout) -> None:
    log = checkout.logs_dir / "daemon.log"
    checkout.daemon_file.unlink(missing_ok=True)
    environment = {**os.environ, "PYTHONPATH": str(checkout.root)}
    position = log.stat().st_size if log.exists() else 0
    with log.open("ab") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox", "--checkout", str(checkout.root), "serve"],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            env=environment,
            cwd=checkout.root,
            start_new_session=True,
        )
    deadline = time.monotonic() + READY_SECONDS
    while not checkout.daemon_file.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            process.wait()
            with log.open("rb") as stream:
                stream.seek(position)
                lines = stream.read().decode(errors="replace").strip().splitlines()
            raise SandboxError(f"the sandbox did not start: {(lines or ['it wrote nothing'])[-1]}; see {log}")
        time.sleep(0.02)


def _daemon_pid(checkout: Checkout) -> int:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            return int(json.loads(checkout.daemon_file.read_text())["pid"])
        except (OSError, ValueError, KeyError):
            # It holds the lock and is still starting.
            time.sleep(0.05)
    raise SandboxError(
        f"a process holds {checkout.lock_file} but never became ready; find it with `fuser "
        f"{checkout.lock_file}`, end it, and start again"
    )


__all__ = ["clean", "queries", "services", "start", "status", "stop"]
