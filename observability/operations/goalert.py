"""Synchronize GoAlert with the on-call settings: a line for each change, none where there are no differences.

Objects that were created manually in GoAlert, or that the settings no longer name, are unchanged.
"""

import secrets as randomness
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from observability.alerting import goalert as wanted
from observability.operations.goalert_api import Client, GoAlertError, Node
from observability.settings.notifications import Smtp
from observability.settings.on_call import OnCallSettings, Person, Schedule

MAIL: Final = "builtin-smtp-email"
TARGETS: Final = {
    "schedule": ("builtin-schedule", "schedule_id"),
    "rotation": ("builtin-rotation", "rotation_id"),
    "person": ("builtin-user", "user_id"),
}
"""A step's possible target, in GoAlert's terms: the type of destination, and its argument."""


class Sync:
    """One synchronization of GoAlert."""

    def __init__(self, client: Client, settings: OnCallSettings, now: datetime) -> None:
        self._client = client
        self._settings = settings
        self._now = now
        self._users: dict[str, str] = {}
        self._methods: dict[str, str] = {}
        self._rotations: dict[str, str] = {}
        self._schedules: dict[str, str] = {}
        self._policies: dict[str, str] = {}
        self.keys: dict[str, str] = {}
        """Integration key by team."""
        self.unverified: list[str] = []
        """People whose unconfirmed address GoAlert does not use yet."""

    def run(self, smtp: Smtp | None, password: str | None) -> Iterator[str]:
        """Run the synchronization; yields the changes."""
        yield from self._mail(smtp, password)
        yield from self._people()
        yield from self._turns()
        for team, schedule in self._settings.schedules.items():
            yield from self._schedule(team, schedule)
        for team, schedule in self._settings.schedules.items():
            yield from self._escalation(team, schedule)
        yield from self._services()

    def send_code(self, name: str) -> bool:
        """Have GoAlert mail a code to a person with an unconfirmed address; False where it has done so just before."""
        value = {"contactMethodID": self._methods[name]}
        try:
            self._client.change("sendContactMethodVerification", "SendContactMethodVerificationInput!", value)
        except GoAlertError as error:
            if "Too many messages" not in str(error):
                raise
            return False
        return True

    def _mail(self, smtp: Smtp | None, password: str | None) -> Iterator[str]:
        """The mail server; GoAlert returns the password in plain text to its administrator."""
        values = {"SMTP.Enable": "false"}
        if smtp is not None:
            values = {
                "SMTP.Enable": "true",
                "SMTP.From": smtp.sender,
                "SMTP.Address": smtp.address,
                "SMTP.DisableTLS": "false" if smtp.tls else "true",
                "SMTP.Username": smtp.user or "",
                "SMTP.Password": (password or "") if smtp.user else "",
            }
        held = {one["id"]: one["value"] for one in self._client.ask("{ config(all: true) { id value } }")["config"]}
        differing = [{"id": name, "value": value} for name, value in values.items() if held.get(name) != value]
        if differing:
            self._client.change("setConfig", "[ConfigValueInput!]", differing)
            yield f"mail server: {', '.join(str(one['id']) for one in differing)}"

    def _people(self) -> Iterator[str]:
        """Each person with an address and the rule to mail it immediately; identified by the address."""
        fields = "email contactMethods { id disabled dest { type args } } notificationRules { contactMethodID }"
        held = {user["email"].lower(): user for user in self._client.all("users", fields)}
        for name, person in self._settings.people.items():
            user = held.get(person.email.lower())
            if user is None:
                yield f"person {name}: made"
                user = self._add(name, person)
            elif user["name"] != person.name:
                self._client.change("updateUser", "UpdateUserInput!", {"id": user["id"], "name": person.name})
                yield f"person {name}: now called {person.name}"
            self._users[name] = user["id"]
            destination = {"type": MAIL, "args": {"email_address": person.email}}
            methods = [one for one in user["contactMethods"] if _same(one["dest"], destination)]
            if not methods:
                yield f"person {name}: to be mailed at {person.email}"
                value = {
                    "userID": user["id"],
                    "name": "mail",
                    "dest": destination,
                    "newUserNotificationRule": {"delayMinutes": 0},
                }
                made = self._client.change(
                    "createUserContactMethod", "CreateUserContactMethodInput!", value, "{ id disabled }"
                )
                methods = [made]
            self._methods[name] = methods[0]["id"]
            if methods[0]["disabled"]:
                self.unverified.append(name)

    def _add(self, name: str, person: Person) -> Node:
        """A new user, with a random password."""
        value = {
            "username": name,
            "name": person.name,
            "email": person.email,
            "password": randomness.token_urlsafe(24),
            "role": "user",
        }
        made: Node = self._client.change("createUser", "CreateUserInput!", value, "{ id }")
        return {**made, "name": person.name, "contactMethods": []}

    def _turns(self) -> Iterator[str]:
        held = {
            one["name"]: one
            for one in self._client.all("rotations", "start timeZone type shiftLength activeUserIndex userIDs")
        }
        for name, turns in wanted.rotations(self._settings, self._now).items():
            users = [self._users[person] for person in turns.people]
            value = {
                "timeZone": turns.zone,
                "start": wanted.stamp(turns.start),
                "type": turns.kind,
                "shiftLength": 1,
                "userIDs": users,
            }
            one = held.get(name)
            if one is None:
                made = self._client.change(
                    "createRotation", "CreateRotationInput!", {"name": name, **value}, "{ id activeUserIndex }"
                )
                one = {**value, **made}
                yield f"rotation {name}: made"
            self._rotations[name] = one["id"]
            one["start"] = wanted.stamp(wanted.parsed(one["start"]))
            differing = {field: want for field, want in value.items() if one[field] != want}
            if differing or one["activeUserIndex"] != turns.active:
                # Sent with every change: GoAlert counts the turns from it.
                differing["activeUserIndex"] = turns.active
                self._client.change("updateRotation", "UpdateRotationInput!", {"id": one["id"], **differing})
                yield f"rotation {name}: {', '.join(sorted(differing))}"

    def _schedule(self, team: str, schedule: Schedule) -> Iterator[str]:
        fields = (
            "timeZone targets { target { id type } rules { start end weekdayFilter } } "
            "temporarySchedules { start end shifts { userID start end } }"
        )
        held = {one["name"]: one for one in self._client.all("schedules", "timeZone")}
        if team not in held:
            value = {"name": team, "timeZone": schedule.zone}
            held[team] = self._client.change("createSchedule", "CreateScheduleInput!", value, "{ id timeZone }")
            yield f"schedule {team}: made"
        number = self._schedules[team] = held[team]["id"]
        if held[team]["timeZone"] != schedule.zone:
            value = {"id": number, "timeZone": schedule.zone}
            self._client.change("updateSchedule", "UpdateScheduleInput!", value)
            yield f"schedule {team}: timeZone"
        whole = self._client.ask(f"query ($id: ID!) {{ one: schedule(id: $id) {{ {fields} }} }}", id=number)["one"]
        yield from self._hours(team, schedule, whole)
        yield from self._exceptional(team, whole)

    def _hours(self, team: str, schedule: Schedule, held: Node) -> Iterator[str]:
        """The hours of each rotation; a target without hours is removed."""
        want = {self._rotations[name]: (name, rules) for name, rules in wanted.rules(schedule).items()}
        have = {
            one["target"]["id"]: (
                one["target"],
                sorted(wanted.Rule(rule["start"], rule["end"], tuple(rule["weekdayFilter"])) for rule in one["rules"]),
            )
            for one in held["targets"]
        }
        for number in {**want, **have}:
            name, rules = want.get(number, ("a target that is not ours", []))
            target, hours = have.get(number, ({"id": number, "type": "rotation"}, []))
            if rules != hours:
                value = {
                    "scheduleID": self._schedules[team],
                    "target": target,
                    "rules": [{"start": r.start, "end": r.end, "weekdayFilter": r.weekdays} for r in rules],
                }
                self._client.change("updateScheduleTarget", "ScheduleTargetInput!", value)
                yield f"schedule {team}: hours of {name}"

    def _exceptional(self, team: str, held: Node) -> Iterator[str]:
        """Holidays and overrides from now on."""
        names = {number: name for name, number in self._users.items()}
        have = [
            wanted.Exceptional(
                wanted.parsed(one["start"]),
                wanted.parsed(one["end"]),
                tuple(
                    wanted.Fixed(
                        wanted.parsed(shift["start"]),
                        wanted.parsed(shift["end"]),
                        names.get(shift["userID"], shift["userID"]),
                    )
                    for shift in one["shifts"]
                ),
            )
            for one in held["temporarySchedules"]
        ]
        want = wanted.exceptional(self._settings, team, self._now)
        if wanted.clipped(have, self._now) == want:
            return
        number = self._schedules[team]
        span = {"start": wanted.stamp(self._now), "end": wanted.stamp(self._now + wanted.HORIZON)}
        self._client.change("clearTemporarySchedules", "ClearTemporarySchedulesInput!", {"scheduleID": number, **span})
        for time in want:
            value = {
                "scheduleID": number,
                "start": wanted.stamp(time.start),
                "end": wanted.stamp(time.end),
                "shifts": [
                    {
                        "userID": self._users[shift.person],
                        "start": wanted.stamp(shift.start),
                        "end": wanted.stamp(shift.end),
                    }
                    for shift in time.shifts
                ],
            }
            self._client.change("setTemporarySchedule", "SetTemporaryScheduleInput!", value)
        yield f"schedule {team}: holidays and overrides"

    def _escalation(self, team: str, schedule: Schedule) -> Iterator[str]:
        held = {one["name"]: one for one in self._client.all("escalationPolicies", "repeat")}
        if team not in held:
            value = {"name": team, "repeat": 0}
            made = self._client.change("createEscalationPolicy", "CreateEscalationPolicyInput!", value, "{ id }")
            held[team] = {**made, "repeat": 0}
            yield f"escalation {team}: made"
        number = self._policies[team] = held[team]["id"]
        if held[team]["repeat"] != 0:
            self._client.change("updateEscalationPolicy", "UpdateEscalationPolicyInput!", {"id": number, "repeat": 0})
            yield f"escalation {team}: repeat"
        fields = "steps { id delayMinutes actions { type args } }"
        query = f"query ($id: ID!) {{ one: escalationPolicy(id: $id) {{ {fields} }} }}"
        have = self._client.ask(query, id=number)["one"]["steps"]
        want = [{"delayMinutes": step.delay, "actions": [self._told(step)]} for step in wanted.steps(team, schedule)]
        if [{"delayMinutes": step["delayMinutes"], "actions": step["actions"]} for step in have] == want:
            return
        for index, step in enumerate(want):
            if index < len(have):
                value = {"id": have[index]["id"], **step}
                self._client.change("updateEscalationPolicyStep", "UpdateEscalationPolicyStepInput!", value)
            else:
                value = {"escalationPolicyID": number, **step}
                self._client.change("createEscalationPolicyStep", "CreateEscalationPolicyStepInput!", value, "{ id }")
        if len(have) > len(want):
            value = {"id": number, "stepIDs": [step["id"] for step in have[: len(want)]]}
            self._client.change("updateEscalationPolicy", "UpdateEscalationPolicyInput!", value)
        yield f"escalation {team}: {len(want)} steps"

    def _told(self, step: wanted.Notify) -> Node:
        kind, argument = TARGETS[step.kind]
        numbers: Mapping[str, Mapping[str, str]] = {
            "schedule": self._schedules,
            "rotation": self._rotations,
            "person": self._users,
        }
        return {"type": kind, "args": {argument: numbers[step.kind][step.name]}}

    def _services(self) -> Iterator[str]:
        """A service for each team, with the integration key for Alertmanager."""
        held = {
            one["name"]: one
            for one in self._client.all("services", "escalationPolicyID integrationKeys { id name type }")
        }
        for team, policy in self._policies.items():
            one = held.get(team)
            if one is None:
                value = {"name": team, "escalationPolicyID": policy}
                made = self._client.change("createService", "CreateServiceInput!", value, "{ id }")
                one = {**made, "escalationPolicyID": policy, "integrationKeys": []}
                yield f"service {team}: made"
            elif one["escalationPolicyID"] != policy:
                value = {"id": one["id"], "escalationPolicyID": policy}
                self._client.change("updateService", "UpdateServiceInput!", value)
                yield f"service {team}: its escalation"
            keys = [key["id"] for key in one["integrationKeys"] if key["type"] == "prometheusAlertmanager"]
            if not keys:
                value = {"serviceID": one["id"], "type": "prometheusAlertmanager", "name": "alertmanager"}
                made = self._client.change("createIntegrationKey", "CreateIntegrationKeyInput!", value, "{ id }")
                keys = [made["id"]]
                yield f"service {team}: a key for Alertmanager"
            self.keys[team] = keys[0]


def _same(held: Node, destination: Node) -> bool:
    return all(held[field] == destination[field] for field in ("type", "args"))


def verify(client: Client, address: str, public: str, name: str, person: Person, code: int) -> None:
    """Enter a person's code. GoAlert accepts it only from that user: signs in as them, with a temporary password."""
    fields = "email contactMethods { id dest { type args } }"
    users = [user for user in client.all("users", fields) if user["email"].lower() == person.email.lower()]
    destination = {"type": MAIL, "args": {"email_address": person.email}}
    methods = [one for user in users for one in user["contactMethods"] if _same(one["dest"], destination)]
    if not methods:
        raise GoAlertError(f"does not know {name} by {person.email}; run ./obs oncall sync")
    password = randomness.token_urlsafe(24)
    client.change("updateBasicAuth", "UpdateBasicAuthInput!", {"userID": users[0]["id"], "password": password})
    themselves = Client(address, public, name, password)
    if not themselves.signed_in:
        raise GoAlertError(f"does not let {name} in; they can enter the code there themselves")
    value = {"contactMethodID": methods[0]["id"], "code": code}
    themselves.change("verifyContactMethod", "VerifyContactMethodInput!", value)
