"""A plugin as a process: started as the engine starts it, configured, talked to, and always ended.

The command gets the address of an engine service as its last argument and prints its port first. The process
runs in a folder of its own whose `.sandbox/endpoints.json` holds the runner's addresses, so that a stand-in
finds them where it finds its sandbox; the path for Python's modules stays the caller's.
"""

from __future__ import annotations

import atexit
import json
import os
import queue
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from sandbox.conformance.calls import Stub
from sandbox.conformance.errors import ConformanceError

MESSAGE_LIMIT = 400 * 1024 * 1024  # bytes; the engine's own limit
END_SECONDS = 3.0  # that a plugin gets to end by itself before it is killed
_running: set[subprocess.Popen[str]] = set()


def command_of(text: str) -> list[str]:
    """The words of a command line; the program is looked up in the path.

    Raises:
        ConformanceError: it is empty, badly quoted, or no such program exists.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ConformanceError(f"plugin {text!r}: {error}. Quote the command as a shell would.") from None
    program = shutil.which(words[0]) if words else None
    if program is None:
        raise ConformanceError(
            f"plugin {text!r}: there is no such program. Give the path of an executable plugin, or a command in"
            ' quotes such as "python -m sandbox.plugins docker".'
        )
    return [os.path.abspath(program), *words[1:]]


class Plugin:
    """One running plugin process and the channel to it."""

    def __init__(self, command: list[str], engine: str, folder: Path, seconds: float) -> None:
        """Start it and wait for its port.

        Raises:
            ConformanceError: it cannot be started, ends, prints no port within `seconds`, or is not a plugin.
        """
        self.command = shlex.join(command)
        self._errors: deque[str] = deque(maxlen=12)
        self.process = self._start([*command, engine], folder)
        _running.add(self.process)
        try:
            self.port = self._read_port(seconds)
            self._channel = self._connect(seconds)
        except BaseException:
            end(self.process)
            raise
        self.stub: Stub = provider_pb2_grpc.ResourceProviderStub(self._channel)

    def _start(self, command: list[str], folder: Path) -> subprocess.Popen[str]:
        paths = [os.getcwd(), *filter(None, [os.environ.get("PYTHONPATH")])]
        try:
            return subprocess.Popen(
                command,
                cwd=folder,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,  # so that what it starts is ended with it
            )
        except OSError as error:
            raise ConformanceError(
                f"plugin {self.command}: cannot be started: {error}. Is it a program for this machine?"
            ) from None

    def _read_port(self, seconds: float) -> int:
        lines: queue.Queue[str] = queue.Queue()
        for stream, keep in ((self.process.stdout, lines.put), (self.process.stderr, self._errors.append)):
            threading.Thread(target=_drain, args=(stream, keep), daemon=True).start()
        try:
            line = lines.get(timeout=seconds)
        except queue.Empty:
            raise ConformanceError(
                f"plugin {self.command}: printed no port within {seconds:g} s.{self.said()} A plugin prints the"
                " port it listens on as its first line; a slow one needs a larger --start-timeout."
            ) from None
        if not line:
            code = self.process.wait(END_SECONDS)
            raise ConformanceError(
                f"plugin {self.command}: ended with code {code} before it printed its port.{self.said()}"
                " Start it by hand to see why."
            )
        if not line.strip().isdecimal() or not 0 < int(line) < 65536:
            raise ConformanceError(
                f"plugin {self.command}: its first line is {line.strip()!r} and not a port. Is it a Pulumi"
                " resource plugin?"
            )
        return int(line)

    def _connect(self, seconds: float) -> grpc.Channel:
        sizes = [("grpc.max_receive_message_length", MESSAGE_LIMIT), ("grpc.enable_retries", 0)]
        channel = grpc.insecure_channel(f"127.0.0.1:{self.port}", options=sizes)
        try:
            grpc.channel_ready_future(channel).result(seconds)
        except grpc.FutureTimeoutError:
            channel.close()
            raise ConformanceError(
                f"plugin {self.command}: nothing speaks gRPC on port {self.port}, which it printed.{self.said()}"
                " The port may belong to another program: let the plugin choose a free one."
            ) from None
        return channel

    def said(self) -> str:
        """The last lines of its standard error as a sentence, or ""."""
        text = "".join(self._errors).strip()
        return f" It said: {text[-1500:]}" if text else ""

    def ended(self, seconds: float = 0.0) -> bool:
        """Whether the process has ended, or does within `seconds`."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def close(self) -> None:
        """End it and what it started."""
        self._channel.close()
        end(self.process)


def _drain(stream: Any, keep: Any) -> None:
    with stream:
        for line in stream:
            keep(line)
    keep("")


def end(process: subprocess.Popen[str]) -> None:
    """End a plugin's process group: asked first, killed when it does not listen."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            continue
    process.wait(END_SECONDS)
    _running.discard(process)


@atexit.register
def end_all() -> None:
    """End every plugin that still runs; also called when the runner is told to stop."""
    for process in list(_running):
        end(process)


def stop_on_signals() -> None:
    """Leave no plugin behind when the runner is terminated."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def write_addresses(folder: Path, addresses: dict[str, str]) -> None:
    """Make the folder in which plugins run, with the addresses a stand-in may talk to."""
    (folder / ".sandbox").mkdir(parents=True, exist_ok=True)
    (folder / ".sandbox" / "endpoints.json").write_text(json.dumps(addresses))
