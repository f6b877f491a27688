"""Messages as Alertmanager's own code renders them: their content, and that no text can break them."""

import json
import re
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from observability.alerting.messages import GRAFANA, files
from observability.settings.load import StackConfig, validate
from tests.receivers.checks import markup_problem
from tests.receivers.message_cases import (
    ANNOTATIONS,
    CHANNELS,
    DOWN,
    DRAWN,
    FACTS,
    FOUND,
    PANEL,
    RUNBOOK,
    SEEN,
    SILENCE,
    TIMES,
    WANTED,
)
from tests.receivers.rendering import call, group, render
from tests.unit.conftest import stack_config


def complete_stack() -> StackConfig:
    """A stack with Grafana and Loki."""
    return stack_config("dev", {"links": {"grafana": "https://grafana.example.com"}})


@pytest.fixture(scope="module")
def said() -> dict[str, str]:
    """Every message of WANTED, by its name."""
    return dict(
        zip(WANTED, render(complete_stack(), [(call(name), data) for name, data in WANTED.values()]), strict=True)
    )


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("title", "[CRITICAL] Host erp-1 of depot does not answer (prod)"),
        ("slack title", "[CRITICAL] &lt;!here&gt; &amp; &lt;b&gt; (prod)"),
        ("markdown title", r"[CRITICAL] \*all\* \[x\](y) (prod)"),
        ("title over", "[RESOLVED] Host erp-1 of depot does not answer (prod)"),
        ("title of a warning", "[WARNING] Host erp-1 of depot does not answer (prod)"),
        ("title of no severity", "[ALERT] Host erp-1 of depot does not answer (prod)"),
        ("title of no summary", "[CRITICAL] HostDown (prod)"),
        ("title of a test", "[TEST] [CRITICAL] Host erp-1 of depot does not answer (prod)"),
        ("title of several", f"[CRITICAL] 30 {TIMES} CriticalResponseTime of depot (prod)"),
        ("title of several over", f"[RESOLVED] 2 {TIMES} CriticalResponseTime of depot (prod)"),
        ("title of a mixture", f"[CRITICAL] 3 {TIMES} CriticalResponseTime of depot, 2 resolved (prod)"),
        ("title of several kinds", f"[CRITICAL] 2 {TIMES} alerts of depot (prod)"),
        ("title of several severities", f"[CRITICAL] 2 {TIMES} HostDown of depot (prod)"),
    ],
)
def test_a_headline_has_severity_summary_and_environment(said: dict[str, str], name: str, title: str) -> None:
    assert said[name] == title


def logs(text: str) -> str:
    """The link to logs in a message, which has its own test."""
    return str(next(one for one in re.findall(r"https://[^\s|)\">]+", text) if "/explore" in one))


def test_slack_has_the_text_and_the_links(said: dict[str, str]) -> None:
    panel = PANEL.replace("&", "&amp;")
    assert said["slack"] == (
        f"{ANNOTATIONS['description']}\nSince 2026-11-21 12:22:30 UTC\n"
        f"<{RUNBOOK}|Runbook> · <{panel}|Panel> · <{logs(said['slack'])}|Logs> · <{SILENCE}|Silence>"
    )


def test_a_resolved_notice_has_start_end_and_duration(said: dict[str, str]) -> None:
    assert "From 2026-11-21 12:22:30 to 2026-11-21 12:40:12 UTC, fired for 17m 42s\n" in said["slack over"]


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_message_has_the_first_step_the_context_and_the_real_start(said: dict[str, str], channel: str) -> None:
    seen = SEEN.format(CHANNELS[channel]) + "Since 2026-11-21 12:20:05 UTC"
    assert seen in said[f"{channel} with context"]


STRONG: Final = {"slack": "*{}*", "markdown": "**{}**", "telegram": "<b>{}</b>", "mail": "<b>{}</b>"}
"""A word in bold, for the channels that have it."""


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_message_has_the_cause_before_all_else_and_the_newest_lines(said: dict[str, str], channel: str) -> None:
    text, end = said[f"{channel} with evidence"], CHANNELS[channel]
    cause = f"{STRONG.get(channel, '{}').format('Cause:')} {FOUND['cause']}{end}"
    assert text.index(cause) < text.index(ANNOTATIONS["description"]) < text.index("Log: ") < text.index("First: ")
    lines = [f"Log: {FOUND[name]}{end}" for name in ("line_1", "line_2", "line_3")]
    assert "".join(lines[:1] if channel == "brief" else lines) in text
    # A phone's screen is small: the cause stands for what else is seen.
    assert ("Also firing" in text) == (channel != "brief")


def test_a_resolved_notice_has_neither_cause_nor_lines(said: dict[str, str]) -> None:
    assert "Cause:" not in said["over with evidence"]
    assert "Log:" not in said["over with evidence"]


@pytest.mark.parametrize("channel", CHANNELS)
def test_an_update_has_both_values_once_and_is_not_counted(said: dict[str, str], channel: str) -> None:
    text = said[f"{channel} of an update"]
    strong = STRONG.get(channel, "{}").format("Update:")
    # Pagers get no update, and only they are brief.
    stated = text.count(f"{strong} 45% now, 12% in the last message{CHANNELS[channel]}")
    assert stated == (0 if channel == "brief" else 1)
    assert text.count(ANNOTATIONS["description"]) == 1
    assert "\N{MULTIPLICATION SIGN}" not in text


def test_the_headline_of_an_update_says_so_and_counts_alerts_only(said: dict[str, str]) -> None:
    assert said["title of an update"] == "[CRITICAL] Update: Host erp-1 of depot does not answer (prod)"
    assert said["title of an update of several"] == f"[CRITICAL] Update: 2 {TIMES} HostDown of depot (prod)"
    assert said["end of an update"] == "[RESOLVED] Host erp-1 of depot does not answer (prod)"
    assert "Update" not in said["title of an update of what is over"]


def test_an_update_in_a_message_of_several_names_its_alert(said: dict[str, str]) -> None:
    assert f"\nUpdate: {ANNOTATIONS['summary']}: 45% now, 12% in the last message\n" in said["update of several"]
    assert said["firing of an update"].count(ANNOTATIONS["description"]) == 1


PICTURES: Final = {
    "markdown": f"[Picture]({DRAWN})",
    "telegram": f'<a href="{DRAWN}">Picture</a>',
    "text": f"Picture: {DRAWN}\n",
    "mail": f'<img src="{DRAWN}" alt="The panel"',
    "picture": DRAWN,
}


@pytest.mark.parametrize("channel", PICTURES)
def test_a_message_shows_the_picture_or_links_to_it(said: dict[str, str], channel: str) -> None:
    assert PICTURES[channel] in said[f"{channel} with a picture"]


def test_a_message_of_several_has_the_first_picture_of_what_fires(said: dict[str, str]) -> None:
    assert said["picture of several"] == DRAWN
    assert said["picture of none"] == ""
    assert "<img" not in said["mail of many"]


def test_a_picture_that_is_no_address_is_not_shown(said: dict[str, str]) -> None:
    assert "onerror" not in said["picture that is no address"]


def test_a_resolved_notice_has_no_steps_and_the_real_start(said: dict[str, str]) -> None:
    text = said["over with context"]
    assert "From 2026-11-21 12:20:05 to 2026-11-21 12:40:12 UTC, fired for 17m 42s\n" in text
    assert "First:" not in text
    assert "Also firing" not in text


def test_an_invalid_start_time_is_omitted(said: dict[str, str]) -> None:
    assert "Since 2026-11-21 12:22:30 UTC\n" in said["since a text"]


def test_slack_lists_firing_alerts_before_resolved_ones(said: dict[str, str]) -> None:
    lines = [line for line in said["slack of a mixture"].splitlines() if line.startswith("•")]
    assert lines == [
        *(f"• *depot: /api/orders/{number} takes 3.{number}s*" for number in (0, 1, 2)),
        *(f"• Resolved: *depot: /api/orders/{number} takes 3.{number}s*" for number in (3, 4)),
    ]


def test_markdown_has_paragraphs(said: dict[str, str]) -> None:
    assert said["markdown"] == (
        f"{ANNOTATIONS['description']}\n\nSince 2026-11-21 12:22:30 UTC\n\n{FACTS}\n\n"
        f"[Runbook]({RUNBOOK}) · [Panel]({PANEL}) · [Logs]({logs(said['markdown'])}) · [Silence]({SILENCE})"
    )


def test_markup_in_a_text_is_escaped(said: dict[str, str]) -> None:
    assert said["markdown of markup"].startswith(r"\*a\* \_b\_ \[c\](http://d) \`e\` \<f\> \# g" + "\n\n")


def test_telegram_has_the_headline_in_its_text(said: dict[str, str]) -> None:
    panel, found = PANEL.replace("&", "&amp;"), logs(said["telegram"])
    assert said["telegram"] == (
        "<b>[CRITICAL] Host erp-1 of depot does not answer (prod)</b>\n"
        f"{ANNOTATIONS['description']}\nSince 2026-11-21 12:22:30 UTC\n{FACTS}\n"
        f'<a href="{RUNBOOK}">Runbook</a> · <a href="{panel}">Panel</a> · '
        f'<a href="{found}">Logs</a> · <a href="{SILENCE}">Silence</a>'
    )


def test_plain_text_has_every_link_on_a_separate_line(said: dict[str, str]) -> None:
    assert said["text"] == (
        "[CRITICAL] Host erp-1 of depot does not answer (prod)\n\n"
        f"{ANNOTATIONS['description']}\nSince 2026-11-21 12:22:30 UTC\n{FACTS}\n\n"
        f"Runbook: {RUNBOOK}\nPanel: {PANEL}\nLogs: {logs(said['text'])}\nSilence: {SILENCE}\n"
    )


def test_alerts_of_several_kinds_have_separate_links(said: dict[str, str]) -> None:
    text = said["text of several kinds"]
    assert f"Since 2026-11-21 12:22:30 UTC · Runbook: {RUNBOOK} · Panel: {PANEL}\n" in text
    assert "/CriticalResponseTime.md" in text
    assert "\nRunbook: " not in text


def test_a_short_message_contains_no_links(said: dict[str, str]) -> None:
    assert said["brief"] == f"{ANNOTATIONS['description']}\nSince 2026-11-21 12:22:30 UTC\n{FACTS}"


@pytest.mark.parametrize(("name", "at_least", "bullet"), [("telegram of many", 7, "• "), ("brief of many", 2, "• ")])
def test_of_many_alerts_some_are_listed_and_the_others_counted(
    said: dict[str, str], name: str, at_least: int, bullet: str
) -> None:
    told = said[name].count(bullet)
    assert at_least <= told <= 10
    assert f"\n… and {30 - told} more\n" in said[name]


def test_a_mail_lists_ten_alerts_in_full(said: dict[str, str]) -> None:
    assert said["mail of many"].count("must be answered within 2s") == 10
    assert "… and 20 more" in said["mail of many"]
    assert markup_problem(said["mail of many"]) is None


def test_a_mail_has_its_styles_on_the_elements(said: dict[str, str]) -> None:
    assert markup_problem(said["mail"]) is None
    assert "<style" not in said["mail"]
    assert "background:#d32f2f" in said["mail"]
    for address in (RUNBOOK, PANEL.replace("&", "&amp;"), SILENCE):
        assert f'<a href="{address}">' in said["mail"]


def test_pagerduty_gets_firing_and_resolved_alerts_separately(said: dict[str, str]) -> None:
    assert said["firing"].count("• ") == 3
    assert said["resolved"].count("• ") == 2
    assert "Since" not in said["resolved"]


def test_logs_are_those_of_the_system_ten_minutes_before_and_after(said: dict[str, str]) -> None:
    address = urlsplit(said["logs"])
    assert (address.netloc, address.path) == ("grafana.example.com", "/explore")
    pane = json.loads(parse_qs(address.query)["panes"][0])["logs"]
    assert pane["queries"][0]["expr"] == '{system="depot"}'
    assert pane["queries"][0]["datasource"] == {"type": "loki", "uid": "loki"}
    # 2026-11-21 12:12:30.7 and 12:32:30.7 UTC
    assert pane["range"] == {"from": "1795263150700", "to": "1795264350700"}


def test_an_alert_without_a_system_has_no_link_to_logs(said: dict[str, str]) -> None:
    assert said["logs of no system"] == ""


def test_a_silence_has_the_labels_all_alerts_share_without_derived_ones(said: dict[str, str]) -> None:
    matchers = unquote(said["silence of several"].partition("filter=")[2])
    assert matchers == '{alertname="CriticalResponseTime", instance="erp-1", severity="critical", system="depot"}'


def test_a_label_that_needs_quoting_is_left_out_of_the_silence(said: dict[str, str]) -> None:
    assert "instance" not in said["silence of a quote"]


def test_an_incomplete_address_is_not_made_a_link(said: dict[str, str]) -> None:
    text = said["text of no whole address"]
    assert "Runbook" not in text
    assert "Panel" not in text


def test_an_address_that_is_too_long_is_not_made_a_link(said: dict[str, str]) -> None:
    assert "Runbook" not in said["text of a long address"]
    assert f"\nPanel: {PANEL}\n" in said["text of a long address"]


def test_a_headline_links_to_the_panel_or_to_alertmanager(said: dict[str, str]) -> None:
    assert said["dashboard"] == PANEL
    assert said["dashboard of none"] == "https://alerts.example.com/#/alerts"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("pagerduty.severity", ["critical", "warning", "info", "error"]),
        ("opsgenie.priority", ["P1", "P3", "P5", "P3"]),
        ("pushover.priority", ["2", "0", "-1", "0"]),
    ],
)
def test_each_service_gets_the_severity_in_its_own_terms(said: dict[str, str], name: str, words: list[str]) -> None:
    assert [said[f"{name} of {severity}"] for severity in ("critical", "warning", "info", "none")] == words


def test_every_severity_has_its_own_colour(said: dict[str, str]) -> None:
    names = ["colour over", *(f"colour of {severity}" for severity in ("critical", "warning", "info", "none"))]
    assert len({said[name] for name in names}) == 5


def test_a_resolved_notice_makes_no_sound(said: dict[str, str]) -> None:
    assert said["pushover.priority over"] == "-1"


def test_without_grafana_or_loki_no_message_links_to_logs() -> None:
    without = validate("prod", {"profile": "minimal", "environment": "dev"}, frozenset())
    (text,) = render(without, [(call("obs.text"), group(DOWN))])
    assert "Logs" not in text
    assert "explore" not in text


def test_the_address_of_grafana_is_filled_in() -> None:
    assert GRAFANA not in "".join(files(complete_stack()).values())
    assert "https://grafana.example.com" in files(complete_stack())["templates/links.tmpl"]
