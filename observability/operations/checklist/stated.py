"""Questions about Grafana, notifications, on-call and the incident playbook."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from dashboards.queries import panels
from dashboards.registry import dashboards
from observability.alerting.alerts import alerts
from observability.alerting.gaps import gaps
from observability.alerting.on_call import next_change, on_call
from observability.operations.checklist.measured import Ask, passed
from observability.operations.checklist.model import Finding, State, UnansweredError, listed, no, not_applicable, yes
from observability.operations.home import Home
from observability.operations.incidents import overdue
from observability.operations.playbook import PLAYBOOK, PRIORITIES, read, sections, table
from observability.parts.status_page import NAME as PAGE
from observability.settings.load import StackConfig

STEPS: Final = 7
"""Steps of the playbook."""

MESSAGES: Final = 3
"""Templates: the first message, an update, the end."""

PARTS: Final = 5
"""Rows that the form of a post-mortem has at least."""


def of_grafana(ask: Ask) -> Ask:
    """No, with the reason, where the stack has no Grafana."""

    def asked(state: State) -> Finding:
        if state.config.grafana_url is not None:
            return ask(state)
        why = state.config.left_out.get("grafana")
        return no(f"no Grafana here: {why}" if why else "the stack has no Grafana")

    return asked


def of_dashboards(kind: str, nothing: str) -> Ask:
    """Grafana has every declared dashboard of a kind, the end of its uid."""

    def ask(state: State) -> Finding:
        uids = [entry.uid for entry in dashboards(state.config) if entry.uid == f"{entry.folder}-{kind}"]
        if not uids:
            return not_applicable(nothing)
        rows = [
            row for uid in uids for row in state.checks(f"Grafana: dashboard {uid}") if row.check.endswith(f" {uid}")
        ]
        if len(rows) < len(uids):
            ended = next((row.detail for row in state.verified if row.check in ("grafana", "Grafana")), "")
            raise UnansweredError(
                f"verify has read {len(rows)} of {len(uids)} dashboards of Grafana; {ended}".rstrip("; ")
            )
        return passed(rows, f"dashboards: {listed(uids)}")

    return of_grafana(ask)


def accessible(state: State) -> Finding:
    """Grafana answers, and more people than its administrator can sign in."""
    state.of_grafana("api/health")
    settings = state.config.settings.grafana
    if settings.oidc is not None:
        return yes(f"{state.config.link('grafana')}, sign-in by {settings.oidc.auth_url}")
    users = [one["login"] for one in state.of_grafana("api/org/users")]
    people = [name for name in users if name != "admin"]
    address = state.config.link("grafana")
    return (
        yes(f"{address}, {len(people)} users: {listed(people)}") if people else no(f"{address} has no user but admin")
    )


def updated(state: State) -> Finding:
    """Every dashboard in Grafana has the queries that the present rules, systems and code declare."""
    newest = ""
    stale = []
    entries = dashboards(state.config)
    for entry in entries:
        answer = state.of_grafana(f"api/dashboards/uid/{entry.uid}")
        newest = max(newest, str(answer.get("meta", {}).get("updated", "")))
        if _queries(answer["dashboard"]) != _queries(json.loads(entry.text)):
            stale.append(entry.uid)
    if stale:
        return no(f"not as declared: {listed(stale)} ({len(stale)} of {len(entries)})")
    return yes(f"{len(entries)} as declared, the last change {newest[:10] or 'at an unknown time'}")


def _queries(document: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {
        (panel.get("title", ""), target.get("expr", ""))
        for panel in panels(document)
        for target in panel.get("targets") or ()
    }


def status_page(state: State) -> Finding:
    """The status page is written, or Grafana's dashboard is public."""
    if state.config.runs(PAGE):
        return passed([state.check(f"container {PAGE}")], "pages")
    return of_grafana(_public_dashboard)(state)


def _public_dashboard(state: State) -> Finding:
    if not state.config.settings.grafana.public_status:
        return no("neither statusPage nor grafana.publicStatus is set")
    return passed([state.check("Grafana: public status page")], "pages")


def routing(state: State) -> Finding:
    """Alerts of each severity reach a receiver, and Alertmanager has the declared routes in use."""
    found = [
        gap for gap in gaps(state.config, alerts(_files(state.config)), state.now) if gap.path.startswith("notif")
    ]
    if found:
        return no(f"{found[0].path}: {found[0].what}")
    row = passed([state.check("configuration in use by alertmanager")], "configurations")
    return row if row.answer == "no" else yes(f"{len(state.config.notifications.receivers)} receivers, {row.evidence}")


def _files(config: StackConfig) -> dict[str, str]:
    from dashboards.linked_rules import files

    return files(config)


def pagers(config: StackConfig) -> list[str]:
    """The receivers that page, which have schedules and escalations of their own."""
    return [name for name, receiver in config.notifications.receivers.items() if receiver.pages]


def escalation(state: State) -> Finding:
    """Each schedule has steps that reach another person, and none of them goes back to the first."""
    settings = state.config.settings.on_call
    if not settings.schedules:
        return _of_pagers(state, "no schedule, and no receiver that pages")
    without = [team for team, schedule in settings.schedules.items() if not schedule.escalation]
    if without:
        return no(f"onCall.schedules.{without[0]} has no escalation")
    repeats = [gap for gap in gaps(state.config, alerts(_files(state.config)), state.now) if "escalation" in gap.path]
    if repeats:
        return no(f"{repeats[0].path}: {repeats[0].what}")
    steps = [
        f"{team} after {', '.join(step.after for step in one.escalation)}" for team, one in settings.schedules.items()
    ]
    return yes(listed(steps))


def rotation(state: State) -> Finding:
    """Somebody is on call for each schedule, and will be relieved."""
    settings = state.config.settings.on_call
    if not settings.schedules:
        return _of_pagers(state, "onCall.schedules names none")
    words = []
    for team in settings.schedules:
        following = next_change(settings, team, state.now)
        person = on_call(settings, team, state.now).person
        if following is None:
            return no(f"{team}: {person} is always on call, nobody takes turns")
        words.append(f"{team}: {person} until {following.start:%Y-%m-%d %H:%M} UTC, then {following.person}")
    return yes(listed(words))


def _of_pagers(state: State, otherwise: str) -> Finding:
    names = pagers(state.config)
    if names:
        raise UnansweredError(f"{listed(names)} keeps this outside of the stack, and has no API that obs asks")
    return no(otherwise)


# The playbook


def of_playbook(title: str, judge: Callable[[str, State], Finding]) -> Ask:
    """A section of the playbook, whose title begins so, judged by its text."""

    def ask(state: State) -> Finding:
        text = read(state.documents)
        if text is None:
            return no(f"{PLAYBOOK} does not exist")
        found = [body for name, body in sections(text).items() if name.lower().startswith(title.lower())]
        return judge(found[0], state) if found else no(f"{PLAYBOOK} has no section {title!r}")

    return ask


def documented(text: str, state: State) -> Finding:
    """The playbook has its priorities, and steps from the alert to the review."""
    rows = {row[0] for row in table(text)}
    missing = [name for name in PRIORITIES if name not in rows]
    if missing:
        return no(f"{PLAYBOOK} does not say what {listed(missing)} is")
    steps = len(re.findall(r"^\d+\. ", read(state.documents) or "", re.MULTILINE))
    return (
        yes(f"{PLAYBOOK}: {steps} steps, {PRIORITIES[0]} to {PRIORITIES[-1]}")
        if steps >= STEPS
        else no(f"{PLAYBOOK} has {steps} of {STEPS} steps")
    )


def templates(text: str, _: State) -> Finding:
    """The section has a template for each message."""
    count = len(re.findall(r"(?:^>.*\n?)+", text, re.MULTILINE))
    return yes(f"{count} templates in {PLAYBOOK}") if count >= MESSAGES else no(f"{count} of {MESSAGES} in {PLAYBOOK}")


def matrix(text: str, state: State) -> Finding:
    """Each priority has a row, and the schedules have the steps of the most urgent one."""
    rows = {row[0]: [cell for cell in row[1:] if cell] for row in table(text)}
    missing = [name for name in PRIORITIES if not rows.get(name)]
    if missing:
        return no(f"{PLAYBOOK} names nobody for {listed(missing)}")
    wanted = len(rows[PRIORITIES[0]]) - 1
    for team, schedule in state.config.settings.on_call.schedules.items():
        if len(schedule.escalation) < wanted:
            return no(
                f"onCall.schedules.{team} has {len(schedule.escalation)} steps of escalation, "
                f"{PRIORITIES[0]} of {PLAYBOOK} has {wanted}"
            )
    return yes(f"{len(rows)} priorities in {PLAYBOOK}, {wanted} steps for {PRIORITIES[0]}")


def post_mortem(text: str, state: State) -> Finding:
    """The section has the form of a post-mortem, and none of this stack's incidents waits for its own too long."""
    parts = [row[0] for row in table(text)]
    if len(parts) < PARTS:
        return no(f"{PLAYBOOK} has no form of {PARTS} parts")
    late = [one.id for one in overdue(Home(folder=state.folder).incidents(state.config.stack), state.now)]
    return (
        no(f"none was written for {listed(late)}") if late else yes(f"{len(parts)} parts in {PLAYBOOK}, none is due")
    )
