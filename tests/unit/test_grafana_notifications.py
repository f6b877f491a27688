"""The list of receivers in Grafana: contact points, the tree of policies, mute timings, templates."""

import re
from typing import Any

import pytest

from observability.alerting.grafana import FALLBACK, Policy, contact_points, mute_timings, policy, templates
from observability.alerting.matchers import Matcher
from observability.alerting.routes import recipients, routes, taken
from observability.channels.registry import CHANNELS
from observability.settings.load import StackConfig, validate
from observability.synth.declared import Declared
from observability.synth.record import HIDDEN
from tests.unit.conftest import REFERENCE, declared_by, stack_config

NOTIFICATIONS: dict[str, Any] = {
    "smtp": {"host": "smtp.example.com", "sender": "alerts@example.com"},
    "receivers": {
        "ops-mail": {"email": {"to": ["ops@example.com", "boss@example.com"]}},
        "slack-hook": {"slack": {"channel": "#alerts-critical"}},
        "slack-bot": {"slack": {"channel": "#alerts-warning", "bot": True}},
        "pager": {"pagerduty": {}},
        "teams": {"msteams": {}},
        "discord": {"discord": {}},
        "telegram": {"telegram": {"chatId": -100}},
        "genie": {"opsgenie": {"region": "eu"}},
        "phone": {"pushover": {}},
        "hook": {"webhook": {}, "resolved": False},
    },
    "default": ["ops-mail"],
    "critical": ["ops-mail", "slack-hook", "pager", "phone"],
    "warning": {"receivers": ["ops-mail", "slack-bot"], "mute": ["nights"]},
    "info": ["hook"],
    "components": {"database": ["teams", "genie"]},
    "teams": {"depot": {"receivers": ["discord", "telegram"], "mute": ["weekends"]}},
    "muteTimes": {
        "nights": {"times": ["22:00-07:00"], "location": "Europe/Berlin"},
        "weekends": {"weekdays": ["saturday", "sunday"]},
    },
}


def everyone() -> StackConfig:
    """A stack with every kind of receiver, and no webhook that receives every alert."""
    values = {"notifications": NOTIFICATIONS}
    known = stack_config("dev", values).secrets - {"alertWebhookUrl"}
    return validate("dev", values, known, REFERENCE)


CONFIG = everyone()
WARNING = Matcher(label="severity", value="warning")
NOBODY = validate("dev", {"grafana": {"alertEmail": "a@b.example"}}, frozenset(), REFERENCE)


def of_kind(config: StackConfig, kind: str) -> list[Declared]:
    return [resource for resource in declared_by(config) if resource.type.endswith(f":{kind}")]


def heard(config: StackConfig, labels: dict[str, str]) -> list[str]:
    """Contact points that are notified of an alert with these labels: the tree evaluated as by Grafana."""

    def walk(branch: Policy) -> list[str]:
        found: list[str] = []
        for below in branch.branches:
            if all(matcher.holds(labels) for matcher in below.matchers):
                found += walk(below)
                if not below.passes_on:
                    break
        return found or [branch.contact_point]

    return walk(policy(config))


def test_every_receiver_is_a_contact_point_of_its_name_and_all_kinds_are_known() -> None:
    found = contact_points(CONFIG)
    assert [point.name for point in found] == list(NOTIFICATIONS["receivers"])
    assert {point.block for point in found} == {channel.grafana for channel in CHANNELS.values()}


def test_each_contact_point_is_declared_with_one_block_and_its_secrets_hidden() -> None:
    blocks = {}
    for one in of_kind(CONFIG, "ContactPoint"):
        (kind,) = one.inputs.keys() - {"name"}
        (block,) = one.inputs[kind]
        blocks[one.inputs["name"]] = (kind, {key for key, value in block.items() if value == HIDDEN})
    assert blocks == {
        "ops-mail": ("emails", set()),
        "slack-hook": ("slacks", {"url"}),
        "slack-bot": ("slacks", {"token"}),
        "pager": ("pagerduties", {"integrationKey"}),
        "teams": ("teams", {"url"}),
        "discord": ("discords", {"url"}),
        "telegram": ("telegrams", {"token"}),
        "genie": ("opsgenies", {"apiKey"}),
        "phone": ("pushovers", {"apiToken", "userKey"}),
        "hook": ("webhooks", {"url"}),
    }


def test_a_receiver_without_resolved_notices_has_none_in_grafana() -> None:
    quiet = {
        one.inputs["name"] for one in of_kind(CONFIG, "ContactPoint") if "disableResolveMessage': True" in str(one)
    }
    assert quiet == {"hook"}


def test_opsgenie_is_addressed_in_the_region_of_the_account() -> None:
    (genie,) = [point for point in contact_points(CONFIG) if point.block == "opsgenies"]
    assert genie.settings["url"] == "https://api.eu.opsgenie.com/v2/alerts"


@pytest.mark.parametrize("severity", ["critical", "warning", "info", ""])
@pytest.mark.parametrize("component", ["database", "application"])
@pytest.mark.parametrize("team", ["depot", "studio"])
def test_an_alert_has_the_same_receivers_as_in_alertmanager(severity: str, component: str, team: str) -> None:
    labels = {"severity": severity, "component": component, "team": team}
    channels = {one.name: one.channels for one in recipients(CONFIG)}
    assert heard(CONFIG, labels) == [name for route in taken(CONFIG, labels) for name in channels[route.receiver]]


def test_the_database_team_gets_its_alerts_in_addition_to_the_severitys_receivers() -> None:
    told = heard(CONFIG, {"severity": "critical", "component": "database"})
    assert told == ["genie", "teams", "pager", "phone", "ops-mail", "slack-hook"]


def test_the_policies_are_alertmanagers_routes_without_those_only_it_needs() -> None:
    shared = [
        route
        for route in routes(CONFIG)
        if route.receiver not in ("verify", "heartbeat", "nobody") and not route.receiver.startswith("only-")
    ]
    branches = policy(CONFIG).branches
    assert [route.matchers for route in shared] == [branch.matchers for branch in branches]
    assert [route.passes_on for route in shared] == [branch.passes_on for branch in branches]
    assert [(route.group_by, route.group_wait, route.group_interval) for route in shared] == [
        (branch.group_by, branch.group_wait, branch.group_interval) for branch in branches
    ]


def test_the_root_policy_groups_and_waits_as_configured() -> None:
    (tree,) = of_kind(CONFIG, "NotificationPolicy")
    assert {key: tree.inputs[key] for key in ("groupBies", "groupWait", "groupInterval", "repeatInterval")} == {
        "groupBies": ["alertname", "cluster", "system"],
        "groupWait": "10s",
        "groupInterval": "10s",
        "repeatInterval": "12h",
    }


def test_a_muted_audience_is_muted_in_every_branch_below_it() -> None:
    (muted,) = [branch for branch in policy(CONFIG).branches if branch.matchers == (WARNING,)]
    assert muted.mute == ("nights",)
    assert [branch.mute for branch in muted.branches] == [("nights",), ("nights",)]


def test_mute_timings_never_pass_midnight() -> None:
    assert mute_timings(CONFIG) == {
        "nights": [
            {"times": [{"start": "22:00", "end": "24:00"}], "weekdays": None, "location": "Europe/Berlin"},
            {"times": [{"start": "00:00", "end": "07:00"}], "weekdays": None, "location": "Europe/Berlin"},
        ],
        "weekends": [
            {"times": [{"start": "00:00", "end": "24:00"}], "weekdays": ["saturday", "sunday"], "location": "UTC"}
        ],
    }


def test_the_webhook_of_all_alerts_is_a_contact_point_too() -> None:
    config = validate("dev", {}, frozenset({"alertWebhookUrl"}), REFERENCE)
    (hook,) = of_kind(config, "ContactPoint")
    assert hook.inputs["name"] == "alert-webhook"
    assert hook.inputs["webhooks"][0]["url"] == HIDDEN
    assert heard(config, {"severity": "critical"}) == ["alert-webhook"]


def test_without_any_receiver_grafanas_alerts_are_sent_by_mail() -> None:
    (mail,) = of_kind(NOBODY, "ContactPoint")
    assert mail.inputs["name"] == FALLBACK
    assert mail.inputs["emails"][0]["addresses"] == ["a@b.example"]
    assert heard(NOBODY, {"severity": "critical"}) == [FALLBACK]


def test_every_template_that_a_contact_point_names_is_defined() -> None:
    text = templates()
    defined = set(re.findall(r'{{-? *define "([^"]+)"', text))
    named = {
        name
        for point in contact_points(CONFIG)
        for value in point.settings.values()
        for name in re.findall(r'template "([^"]+)"', str(value))
    }
    inner = set(re.findall(r'{{-? *template "([^"]+)"', text))
    assert named
    assert named | inner <= defined
    assert all(name.startswith("obs.") for name in defined)
