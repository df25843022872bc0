"""One worker's plugin with the server behind it; the plugin is started anew when a case needs that."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sandbox.conformance.calls import call
from sandbox.conformance.context import Context, context_of
from sandbox.conformance.counterpart import Counterpart, from_script
from sandbox.conformance.docker_engine import DockerEngine
from sandbox.conformance.errors import ConformanceError
from sandbox.conformance.plugin import Plugin, write_addresses
from sandbox.conformance.recording import Step
from sandbox.conformance.script import Script
from sandbox.conformance.unnoticed import unnoticed_of


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How plugins are started and how long they may take, in seconds."""

    command: list[str]
    engine: str
    start_seconds: float = 30.0
    step_seconds: float = 300.0


class Lane:
    """A folder, a server on a free address, and the plugin that is configured to talk to it."""

    def __init__(self, package: str, settings: Settings) -> None:
        """Start the server; the plugin comes with the first case.

        Raises:
            ConformanceError: the package is not known, or the server cannot listen.
        """
        self.context: Context = context_of(package)
        self._settings = settings
        self._plugin: Plugin | None = None
        self.fresh = False
        self.script = Script(unnoticed_of(package).path)
        with ExitStack() as open_ones:
            self._folder = Path(open_ones.enter_context(TemporaryDirectory(prefix="conf-")))
            self.engine = DockerEngine(self.script, self._folder) if package == "docker" else None
            if self.engine:
                open_ones.callback(self.engine.close)
            answering = self.engine or from_script(self.script)
            self._server = Counterpart(self.context.over, self._folder, answering)
            open_ones.callback(self._server.close)
            self._open = open_ones.pop_all()
        self._open.callback(self.stop_plugin)
        address = self._filled(self.context.address)
        write_addresses(self._folder, {self.context.endpoint: address})

    def _filled(self, text: str) -> str:
        server = self._server
        return text.format(url=server.url, socket=server.socket, directory=self._folder)

    def plugin(self, *, fresh: bool = False, anew: bool = False) -> None:
        """Have a plugin: a configured one, or with `fresh` a new one whose configuration the case sends."""
        if fresh or self.fresh or anew:
            self.stop_plugin()
        if self._plugin is None:
            settings = self._settings
            self._plugin = Plugin(settings.command, settings.engine, self._folder, settings.start_seconds)
            self.fresh = fresh
            if not fresh:
                self._configure()

    def _configure(self) -> None:
        arguments = {name: self._filled(text) for name, text in self.context.configuration.items()}
        answer = self.ask({"kind": "configure", "args": arguments}, "")
        if "error" in answer:
            raise ConformanceError(
                f"plugin {self._settings.command}: refuses its configuration: {answer['error']['message']}"
            )

    def ask(self, step: Step, token: str) -> dict[str, Any]:
        """Send a step to the plugin and give its answer.

        Raises:
            ConformanceError: the plugin died.
        """
        assert self._plugin is not None
        answer = call(self._plugin.stub, step, token, self._settings.step_seconds)
        code = answer.get("error", {}).get("code")
        if code == "UNAVAILABLE" and self._plugin.ended(2.0):
            raise PluginDied(
                f"the plugin {self._plugin.command} ended with code {self._plugin.process.returncode}."
                f"{self._plugin.said()} Start it by hand and send the step to see why."
            )
        if code == "DEADLINE_EXCEEDED":
            self.plugin(fresh=self.fresh, anew=True)
        return answer

    def inwards(self, text: str) -> str:
        """A recorded text with the server's address in the place of its placeholder."""
        if self.context.over == "unix":
            return text.replace("tcp://127.0.0.1:PORT", self._server.url)
        return text.replace("127.0.0.1:PORT", self._server.host)

    def outwards(self, text: str) -> str:
        """A text of the plugin with the placeholder in the place of the server's address."""
        if self.context.over == "unix":
            return text.replace(self._server.url, "tcp://127.0.0.1:PORT")
        return text.replace(self._server.host, "127.0.0.1:PORT")

    def stop_plugin(self) -> None:
        """End the plugin, if there is one."""
        plugin, self._plugin = self._plugin, None
        if plugin is not None:
            plugin.close()

    def close(self) -> None:
        """End the plugin and the server, and remove the folder."""
        self._open.close()


class PluginDied(ConformanceError):
    """The plugin's process ended in the middle of a step."""
