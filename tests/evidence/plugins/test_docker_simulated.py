"""What the official Docker plugin and a real engine said to each other, said again to the simulated engine.

The recordings hold every request with the status of the real engine (20.10), and the text of every refusal.
Cases that begin with objects made by hand, and steps after something changed behind the plugin's back, are
left out.
"""

import io
import json
import re
import tarfile
from collections.abc import Iterator
from typing import Any

import requests

from sandbox.conformance.recording import Case, read_cases
from sandbox.conformance.serving import served_on_loopback
from sandbox.docker.simulated import application
from sandbox.store import Store
from tests.support.shared import shared_path

# Case -> why the simulated engine answers differently.
DIFFERENT = {
    "Container/1-life/exits": "nothing runs, so nothing exits by itself",
    "Container/1-life/exits-mustrun-false": "nothing runs, so nothing exits by itself",
    "Container/4-invalid/command-string": "nothing runs, so no command is missing",
    "Container/4-invalid/image-missing": "every image can be pulled",
    "RemoteImage/7-not-local-no-registry": "every image can be pulled",
    "Network/1-life/two-subnets": "IPv6 networks are refused",
}
# Begin with an object that somebody else made, or number their ids differently.
PREPARED = re.compile(
    r"/(7-exists|7-vanished|9-|4-invalid/port-proto)|getNetwork/found|RemoteImage/(?!4-|7-not)"
)
PRESET_IMAGES = {"ID1": "rec-img:1", "ID2": "rec-img:2"}


def cases() -> Iterator[Case]:
    """The recorded cases that can be said again."""
    for case in read_cases([shared_path("schemas/plugin-recordings/docker.jsonl.gz")]):
        if not PREPARED.search(case.id):
            yield case


def requests_of(case: Case) -> Iterator[dict[str, Any]]:
    """Its HTTP requests in order, up to the first change from outside."""
    for step in case.steps:
        if step["kind"] == "world":
            return
        yield from step.get("http") or []


def upload(files: list[dict[str, Any]]) -> bytes:
    """The tar archive of a recorded upload."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for file in files:
            content = file.get("content", "").encode()
            member = tarfile.TarInfo(file["name"])
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def prepare(session: requests.Session, url: str, case: Case) -> dict[str, str]:
    """Make what every recorded container case began with; gives the ids of its placeholders."""
    if ":Container/" not in case.id:
        return {}
    ids = {}
    for placeholder, image in PRESET_IMAGES.items():
        session.post(f"{url}/images/create", params={"fromImage": image})
        ids[placeholder] = session.get(f"{url}/images/{image}/json").json()["Id"].removeprefix("sha256:")
    for name, subnet in (("rec-net", "172.31.80.0/24"), ("rec-net2", "172.31.81.0/24")):
        session.post(f"{url}/networks/create", json={"Name": name, "IPAM": {"Config": [{"Subnet": subnet}]}})
    return ids


def difference(session: requests.Session, url: str, case: Case) -> str | None:
    """The first answer that is not the recorded one, or None."""
    ids = prepare(session, url, case)

    def real(text: str) -> str:
        return re.sub(r"ID\d+", lambda match: ids.get(match.group(), match.group()), text)

    for recorded in requests_of(case):
        body = recorded.get("body")
        options: dict[str, Any] = {}
        if isinstance(body, dict) and "tar" in body:
            options = {"data": upload(body["tar"])}
        elif body is not None:
            options = {"json": json.loads(real(json.dumps(body)))}
        answer = session.request(
            recorded["method"],
            url + real(recorded["path"]),
            params=recorded.get("query"),
            timeout=10,
            **options,
        )
        if answer.status_code == 201 and "Id" in answer.json():
            ids[f"ID{len(ids) + 1}"] = answer.json()["Id"]
        place = f"{case.id}: {recorded['method']} {recorded['path']}"
        if answer.status_code != recorded["status"]:
            return f"{place}: {answer.status_code} {answer.text[:200]} instead of {recorded['status']}"
        if recorded["status"] >= 400 and answer.json()["message"] != real(recorded["response"]["message"]):
            return f"{place}: {answer.json()['message']} instead of {recorded['response']['message']}"
    return None


def test_the_recorded_requests_get_the_recorded_answers() -> None:
    """Every status and every refusal's text is the real engine's, but for the listed differences."""
    found, said = {}, 0
    for case in cases():
        store = Store(":memory:")
        with served_on_loopback(application(store, name="g")) as url, requests.Session() as session:
            problem = difference(session, url, case)
        store.close()
        said += sum(1 for _ in requests_of(case))
        if problem:
            found[case.id.partition(":index/")[2].partition(":")[2]] = problem
    unexpected = {name: text for name, text in found.items() if name not in DIFFERENT}
    assert unexpected == {}
    assert set(found) == set(DIFFERENT), "a listed difference is gone: take it off the list"
    assert said > 600
