"""Which alerts keep others quiet, so that one trouble sends one message.

An absent label equals an absent one; and an alert that is on both sides of a rule is never kept quiet by it. The
alerts of `obs alert-test` keep nothing quiet.
"""

from typing import Any, Final

from observability.alerting.routes import MARK_LABEL

SAME_TROUBLE: Final = (
    *("condition", "system", "instance", "route", "operation"),
    *("device", "probe", "slo", "name", "mount", "datname"),
)
"""Labels in which a warning and its critical agree: what is wrong, and all that one alert of a kind is told from
another by. Without `device`, one full disk would hide another that fills."""

STORES: Final = ("DatabaseDown", "RedisDown", "ElasticsearchDown", "NginxDown", "GrafanaDown")
"""Alerts that say more of a target than that it cannot be read."""

COLLECTOR: Final = "alloy|promtail"
"""Scrape jobs of the collectors of logs."""


def rules() -> list[dict[str, Any]]:
    """Alertmanager's `inhibit_rules`."""
    return [
        _rule(['severity="critical"'], ['severity="warning"'], SAME_TROUBLE),
        # `host` is put on every alert as it leaves Prometheus: an instance without its port.
        _rule(['alertname="HostDown"'], ['alertname!="HostDown"'], ("host",)),
        _rule([f'alertname=~"{"|".join(STORES)}"'], ['alertname="ServiceDown"'], ("system", "instance")),
        # Without its database an application fails and is slow. Its critical alerts still come: they say that users
        # are hurt, and DatabaseDown may be about an exporter alone.
        _rule(['alertname="DatabaseDown"'], ['component="database"'], ("system",)),
        _rule(['alertname="DatabaseDown"'], ['component="application"', 'severity!="critical"'], ("system",)),
        _rule(['alertname="RedisDown"'], ['condition="cache_hit_rate"'], ("system",)),
        # Without the collector nobody's lines arrive: that logs are silent says nothing of the system.
        _rule(['alertname="ServiceDown"', f'job=~"{COLLECTOR}"'], ['condition="logs_silent"'], ("cluster",)),
    ]


def _rule(source: list[str], target: list[str], equal: tuple[str, ...]) -> dict[str, Any]:
    # A test alert keeps nothing quiet: what is quiet because of it would be real.
    return {"source_matchers": [*source, f'{MARK_LABEL}=""'], "target_matchers": target, "equal": list(equal)}
