"""amtool's results for the files and routes of Alertmanager."""

from itertools import product
from typing import Any, Final

from observability.alerting import alertmanager
from observability.alerting.matchers import Matcher, parse_labels
from observability.alerting.routes import taken
from observability.core.documents import load_yaml
from tests.tools import run_tool
from tests.unit.conftest import stack_config
from tests.unit.test_notifications import EVERY_CHANNEL
from tests.unit.test_route import NOTIFICATIONS

ROUTED: Final = {
    "severity": ("critical", "warning", "info", "odd", ""),
    "page": ("yes", "no", ""),
    "component": ("database", "security", "host", "odd", ""),
    "team": ("depot", "studio", "platform", "odd", ""),
}
"""The labels that the routes of this configuration match on, with the values they name and others."""


def test_amtool_accepts_every_kind_of_channel() -> None:
    config = stack_config("dev", {"notifications": EVERY_CHANNEL})
    files = alertmanager.files(config)
    secrets = dict.fromkeys(alertmanager.secret_files(config), "https://example.com/secret")
    done = run_tool("alertmanager", ["amtool", "check-config", "alertmanager.yaml"], files | secrets)
    assert done.code == 0, done.output
    document: dict[str, Any] = load_yaml(files["alertmanager.yaml"])
    assert f"{len(document['receivers'])} receivers" in done.output


def test_the_routes_are_those_that_amtool_names_for_every_set_of_labels() -> None:
    config = stack_config("dev", {"notifications": NOTIFICATIONS})
    grid = [dict(zip(ROUTED, one, strict=True)) for one in product(*ROUTED.values())]
    grid += [{"alertname": "Watchdog", "severity": severity, "component": "database"} for severity in ("info", "")]
    grid += [{"obs_receiver": "pager", "severity": "critical", "team": "depot"}, {"obs_receiver": "nobody"}]
    grid += [{"obs_verify": "true", "component": "database"}, {"obs_verify": "yes", "component": "database"}]
    grid += [{"severity": severity, "team": "studio", "update": "1"} for severity in ROUTED["severity"]]
    grid += [{"update": "1", "update_sent": "yes"}]
    grid += [{"Severity": "critical"}, {"severity": "Critical"}, {"component": "database-2"}, {"team": "depot "}]
    labels = ["\n".join(f'{name}="{value}"' for name, value in one.items() if value) for one in grid]
    each = 'for labels; do IFS="\n"; amtool config routes test --config.file=alertmanager.yaml $labels; done'
    done = run_tool("alertmanager", ["sh", "-c", each, "sh", *labels], alertmanager.files(config))
    truth = done.output.splitlines()
    assert len(truth) == len(grid) > 375, done.output[-500:]
    for one, receivers in zip(grid, truth, strict=True):
        assert ",".join(found.receiver for found in taken(config, one)) == receivers, one


def test_a_matcher_is_written_as_alertmanager_reads_it() -> None:
    values = ['a "b" \\ c', "plain", "x=y,z", "line\nbreak"]
    matchers = [str(Matcher(label="route", value=value)) for value in values]
    routes = "".join(
        f"    - receiver: r{number}\n      matchers: [{_yaml(one)}]\n" for number, one in enumerate(matchers)
    )
    names = ["default", *(f"r{number}" for number in range(len(matchers)))]
    receivers = "".join(f"  - name: {name}\n" for name in names)
    text = f"route:\n  receiver: default\n  routes:\n{routes}receivers:\n{receivers}"
    each = 'for labels; do amtool config routes test --config.file=am.yaml "$labels"; done'
    done = run_tool("alertmanager", ["sh", "-c", each, "sh", *matchers], {"am.yaml": text})
    assert done.output.split() == names[1:]
    assert [parse_labels(one) for one in matchers] == [{"route": value} for value in values]


def _yaml(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
