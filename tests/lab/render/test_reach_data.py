"""The answers of the proof as data: the keys of each verb, and their kinds."""

import json
from typing import Any

import pytest

from lab.isolation import Proof
from lab.isolation.queries import Queries
from lab.render.reach.checking import check_data, checked
from lab.render.reach.explanation import explain_data, explanations
from lab.render.reach.loss import losses, losses_data
from lab.render.reach.matrix import reach_data
from lab.render.reach.selection import whole_lab

SHAPES: dict[str, dict[str, Any]] = {
    "reach": {
        "version": 1,
        "lab": "dev",
        "paths": [
            {
                "from": "",
                "to": "",
                "port": "",
                "verdict": "",
                "permission": {"kind": "", "because": "", "flow": "", "origin": ""},
                "reason": "",
            }
        ],
        "by_the_ingress": [
            {
                "from": "",
                "to": "",
                "port": "",
                "host": "",
                "path": None,
                "asks_for": "",
                "verdict": "",
                "through": [""],
                "legs": [{"verdict": "", "reason": ""}],
            }
        ],
        "by_pivots": None,
        "names": [
            {
                "from": "",
                "reason": "",
                "verdict": "",
                "through": [],
                "legs": [{"verdict": "", "reason": ""}],
            }
        ],
        "not_listed": {"closed": 0, "by_placement": 0, "published": 0},
    },
    "explain": {
        "version": 1,
        "lab": "dev",
        "paths": [
            {
                "from": "",
                "to": "",
                "port": "",
                "verdict": "",
                "permission": {"kind": "", "because": "", "flow": "", "origin": ""},
                "reason": "",
                "declared_port": True,
                "ways": [{"verdict": "", "through": [], "legs": [{"verdict": "", "reason": ""}]}],
                "by_the_ingress": [],
                "by_pivots": None,
                "leads_to": [],
            }
        ],
    },
    "compromise": {
        "version": 1,
        "lab": "dev",
        "compromised": [
            {
                "endpoint": "",
                "root_on_its_host": False,
                "taken_along": [],
                "powers": [],
                "reached": [{"from": "", "to": "", "port": "", "verdict": "", "reason": ""}],
                "cannot_tell": [],
                "by_the_ingress": [],
                "by_pivots": [
                    {"to": "", "taking": [""], "last_step": {"from": "", "to": "", "port": "", "verdict": ""}}
                ],
            }
        ],
    },
    "check": {
        "version": 1,
        "ok": True,
        "warnings": [],
        "unrecorded": [],
        "findings": [],
        "violations": [],
        "accepted": [],
        "expectations": [
            {
                "place": 0,
                "from": [""],
                "to": [""],
                "reach": False,
                "because": "",
                "verdict": "",
                "against": {"from": "", "to": "", "port": "", "verdict": "", "reason": ""},
            }
        ],
        "certificate": [{"what": "", "verdict": "", "reason": "", "repair": ""}],
        "undecided": 0,
    },
}


def shape(value: Any) -> Any:
    """A value with only its kinds: texts are empty, numbers nought, lists their first element."""
    if isinstance(value, dict):
        return {key: shape(part) for key, part in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value)() if isinstance(value, str | int | bool) else value


def answers(found: Proof) -> dict[str, dict[str, Any]]:
    """One answer of each verb as data."""
    queries = Queries(found)
    asked = queries.pairs(
        queries.source("service:vaultwarden/app"), queries.target("service:vaultwarden/db:5432")
    )
    return {
        "reach": reach_data(found.plan, whole_lab(found, every=False)),
        "explain": explain_data(found.plan, explanations(found, asked)),
        "compromise": losses_data(found.plan, losses(found, queries.taken("service:monitoring/grafana"))),
        "check": check_data(checked(found)),
    }


@pytest.mark.parametrize("verb", sorted(SHAPES))
def test_data_has_its_shape(dev: Proof, verb: str) -> None:
    """The data of a verb has exactly the keys and kinds that are documented, and is JSON."""
    data = answers(dev)[verb]
    json.dumps(data)
    assert (data["version"], data.get("lab", "dev")) == (1, "dev")
    assert shape(data) == shape(SHAPES[verb])
