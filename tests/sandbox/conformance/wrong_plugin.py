"""A plugin that can answer wrongly on purpose: `python wrong_plugin.py MISTAKE ENGINE`.

It keeps one thing of one text at `POST /things`. Without a mistake (`none`) it agrees with `cases.py`.
"""

import json
import os
import socket
import sys
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty

from sandbox.plugins.stubs import import_without_sdk

import_without_sdk()  # importing the whole SDK would take longer than most tests

from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc  # noqa: E402


class Wrong(provider_pb2_grpc.ResourceProviderServicer):
    """The service; every method knows the mistakes that concern it."""

    def __init__(self, mistake: str) -> None:
        """Make this mistake."""
        self.mistake = mistake
        self.url = ""

    def Configure(self, request: Any, context: Any) -> Any:
        """Keep the address."""
        self.url = request.args.fields["baseUrl"].string_value
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    def Check(self, request: Any, context: Any) -> Any:
        """Accept a text; refuse it by name where that is the mistake."""
        failures = []
        if self.mistake == "lenient":
            return provider_pb2.CheckResponse(inputs=request.news)
        if self.mistake == "refuses" and "text" in request.news.fields:
            failures.append("The property text of a thing is not supported by this plugin.")
        if "text" not in request.news.fields:
            failures.append("text is missing")
        return provider_pb2.CheckResponse(
            inputs=request.news, failures=[provider_pb2.CheckFailure(reason=reason) for reason in failures]
        )

    def Diff(self, request: Any, context: Any) -> Any:
        """A changed text replaces."""
        if self.mistake == "dies":
            sys.stderr.write("out of cheese\n")
            sys.stderr.flush()
            os._exit(3)
        if self.mistake == "hangs":
            time.sleep(60)
        changed = request.olds.fields["text"] != request.news.fields["text"]
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE,
            diffs=["text"] if changed else [],
            replaces=["text"] if changed and self.mistake != "updates" else [],
        )

    def Create(self, request: Any, context: Any) -> Any:
        """Post the text, unless the mistake is not to, or to post something else."""
        text = request.properties.fields["text"].string_value
        body = {"text": "other"} if self.mistake == "body" else {"text": text}
        id = "made-up"
        if self.mistake != "silent":
            asked = urllib.request.Request(
                f"{self.url}/things", json.dumps(body).encode(), {"Content-Type": "application/json"}
            )
            with urllib.request.urlopen(asked) as answer:
                id = json.load(answer)["id"]
        properties = request.properties
        if self.mistake == "outputs":
            properties.fields["text"].string_value = "changed"
        return provider_pb2.CreateResponse(id=id, properties=properties)

    def Delete(self, request: Any, context: Any) -> Any:
        """Always fails."""
        if self.mistake == "deletes":
            return Empty()
        context.abort(grpc.StatusCode.UNKNOWN, "it is protected")


def main(mistake: str) -> None:
    """Serve with this mistake, or do what the mistake says instead of serving."""
    if mistake == "mute":
        threading.Event().wait()
    if mistake == "ends":
        sys.exit("no configuration found")
    if mistake == "prose":
        print("Listening on port 1234", flush=True)
        threading.Event().wait()
    if mistake == "taken":
        with socket.create_server(("127.0.0.1", 0)) as other:
            print(other.getsockname()[1], flush=True)
            threading.Event().wait()
    server = grpc.server(ThreadPoolExecutor(max_workers=4))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Wrong(mistake), server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main(sys.argv[1])
