"""GoAlert v0.34's behaviour for the changes that `Sync` requests, as observed with the real one; objects in memory."""

import itertools
from typing import Any

from observability.operations.goalert_api import GoAlertError

Node = dict[str, Any]

KINDS = {
    "Rotation": "rotations",
    "Schedule": "schedules",
    "EscalationPolicy": "escalationPolicies",
    "Service": "services",
    "User": "users",
}


class Double:
    """Replaces `observability.operations.goalert_api.Client`."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Node]] = {kind: {} for kind in KINDS.values()}
        self.config: dict[str, str] = {}
        self.changes: list[tuple[str, Any]] = []
        self.codes: list[str] = []
        self._numbers = itertools.count(1)

    def all(self, kind: str, _: str) -> list[Node]:
        return [dict(one) for one in self.objects[kind].values()]

    def ask(self, query: str, **variables: str) -> Node:
        if "config(" in query:
            return {"config": [{"id": name, "value": value} for name, value in self.config.items()]}
        kind = "schedules" if "schedule(" in query else "escalationPolicies"
        return {"one": self.objects[kind][variables["id"]]}

    def named(self, kind: str, name: str) -> Node:
        """The only object of this name."""
        (found,) = (one for one in self.objects[kind].values() if one["name"] == name)
        return found

    def change(self, mutation: str, _: str, value: Any, __: str = "") -> Any:  # noqa: ANN401 - as the client
        if mutation == "sendContactMethodVerification":
            if value["contactMethodID"] in self.codes:
                raise GoAlertError("Too many messages! Please try again in 1 minute(s)")
            self.codes.append(value["contactMethodID"])
            return True
        self.changes.append((mutation, value))
        return getattr(self, f"_{mutation}", self._plain)(value, mutation)

    def _number(self) -> str:
        return f"id-{next(self._numbers)}"

    def _plain(self, value: Node, mutation: str) -> Node:
        """create… and update… of an object that has exactly the given fields."""
        verb, kind = mutation[:6], mutation[6:]
        held = self.objects[KINDS[kind]]
        if verb == "update":
            held[value["id"]] |= value
            return held[value["id"]]
        number = self._number()
        empty: dict[str, Node] = {
            "User": {"contactMethods": [], "notificationRules": []},
            "Rotation": {"activeUserIndex": 0},
            "Schedule": {"targets": [], "temporarySchedules": []},
            "EscalationPolicy": {"steps": []},
            "Service": {"integrationKeys": []},
        }
        held[number] = {"id": number, **empty[kind], **value}
        return dict(held[number])

    def _setConfig(self, values: list[Node], _: str) -> None:  # noqa: N802 - GoAlert's name
        self.config |= {one["id"]: one["value"] for one in values}

    def _createUserContactMethod(self, value: Node, _: str) -> Node:  # noqa: N802 - GoAlert's name
        made = {"id": self._number(), "disabled": True, "dest": value["dest"]}
        self.objects["users"][value["userID"]]["contactMethods"].append(made)
        return made

    def _updateScheduleTarget(self, value: Node, _: str) -> None:  # noqa: N802 - GoAlert's name
        schedule = self.objects["schedules"][value["scheduleID"]]
        others = [one for one in schedule["targets"] if one["target"]["id"] != value["target"]["id"]]
        own = [{"target": value["target"], "rules": value["rules"]}] if value["rules"] else []
        schedule["targets"] = others + own

    def _clearTemporarySchedules(self, value: Node, _: str) -> None:  # noqa: N802 - GoAlert's name
        self.objects["schedules"][value["scheduleID"]]["temporarySchedules"] = []

    def _setTemporarySchedule(self, value: Node, _: str) -> None:  # noqa: N802 - GoAlert's name
        self.objects["schedules"][value["scheduleID"]]["temporarySchedules"].append(value)

    def _createEscalationPolicyStep(self, value: Node, _: str) -> Node:  # noqa: N802 - GoAlert's name
        made = {**value, "id": self._number()}
        self.objects["escalationPolicies"][value["escalationPolicyID"]]["steps"].append(made)
        return made

    def _updateEscalationPolicyStep(self, value: Node, _: str) -> None:  # noqa: N802 - GoAlert's name
        for policy in self.objects["escalationPolicies"].values():
            for step in policy["steps"]:
                step |= value if step["id"] == value["id"] else {}

    def _updateEscalationPolicy(self, value: Node, _: str) -> None:  # noqa: N802 - GoAlert's name
        policy = self.objects["escalationPolicies"][value["id"]]
        policy["repeat"] = value.get("repeat", policy["repeat"])
        kept = value.get("stepIDs", [step["id"] for step in policy["steps"]])
        policy["steps"] = [step for step in policy["steps"] if step["id"] in kept]

    def _createIntegrationKey(self, value: Node, _: str) -> Node:  # noqa: N802 - GoAlert's name
        made = {"id": self._number(), "name": value["name"], "type": value["type"]}
        self.objects["services"][value["serviceID"]]["integrationKeys"].append(made)
        return made
