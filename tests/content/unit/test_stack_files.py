"""The stack files of this repository place its systems and define who receives their alerts."""

from typing import Any

from observability.alerting import alertmanager
from observability.core.documents import load_yaml
from observability.settings.load import StackConfig, from_file, stack_secrets


def receivers(of: StackConfig) -> dict[str, dict[str, Any]]:
    """Alertmanager's receivers by name."""
    document = load_yaml(alertmanager.files(of)["alertmanager.yaml"])
    return {one["name"]: one for one in document["receivers"]}


def test_the_three_committed_stacks_are_valid_and_share_no_network() -> None:
    subnets = {
        from_file(stack, stored_secrets=frozenset(stack_secrets(stack))).settings.network.subnet
        for stack in ("dev", "staging", "prod")
    }
    assert len(subnets) == 3


def test_in_prod_critical_alerts_go_to_ops_management_slack_and_the_pager() -> None:
    of = from_file("prod", stored_secrets=frozenset(stack_secrets("prod")))
    critical = receivers(of)["critical"]
    assert [mail["to"] for mail in critical["email_configs"]] == ["ops@example.com", "management@example.com"]
    assert [slack["channel"] for slack in critical["slack_configs"]] == ["#alerts-critical"]
    pages = receivers(of)["critical-page"]
    assert len(pages["pagerduty_configs"]) == 1
    assert "pagerduty_configs" not in critical


def test_in_prod_every_team_has_its_own_channel() -> None:
    of = from_file("prod", stored_secrets=frozenset(stack_secrets("prod")))
    found = receivers(of)
    for team in {system.team for system in of.systems.values()}:
        assert [mail["to"] for mail in found[f"team-{team}"]["email_configs"]] == [f"{team}@example.com"]


def test_in_prod_the_home_page_and_the_api_of_every_system_are_probed() -> None:
    of = from_file("prod", stored_secrets=frozenset(stack_secrets("prod")))
    found = {(placed.system, placed.server.name) for placed in of.servers("blackbox-exporter")}
    assert {(name, f"{name}-{page}") for name in of.systems for page in ("home", "api")} <= found
