"""Annotations of every alert of a watched system: start of the condition, first step, related observations.

Prometheus evaluates them at every evaluation of the rule, so a repeated message shows the current state.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from observability.core.alert import ALSO_SEEN, FIRST, NO_PROBLEM_PATTERN, SINCE

FIRST_MARK: Final = "First: "
"""Prefix of the line of a runbook that states the first step."""

_LATE: Final = 3600
"""Seconds for which the start of a container is mentioned."""


def annotations(rule: Mapping[str, Any], up: Sequence[str], runbook: str = "") -> dict[str, str]:
    """The annotations of an alerting rule: by name, as Prometheus' templates; none for the stack's own parts.

    `up` names the series that are 1 while a data store is up, `runbook` is the text of the alert's page.
    """
    labels = rule.get("labels") or {}
    if "component" not in labels or labels["component"] == "monitoring":
        return {}
    found = {SINCE: _since(rule["alert"], labels.get("severity", "")), ALSO_SEEN: _also(rule["alert"], labels, up)}
    first = first_step(runbook)
    return {FIRST: first, **found} if first else found


def first_step(runbook: str) -> str:
    """The first step that a runbook states; empty where it states none."""
    lines = (line for line in runbook.splitlines() if line.startswith(FIRST_MARK))
    # Prometheus would parse braces in it as a template.
    return next(lines, "").removeprefix(FIRST_MARK).replace("{{", "{ {").strip()


def _since(alert: str, severity: str) -> str:
    """Prometheus stores the time at which a condition began in ALERTS_FOR_STATE, under the alert's labels."""
    return (
        f"""{{{{ $alert := `ALERTS_FOR_STATE{{alertname="{alert}",severity="{severity}"` -}}}}"""
        """{{ range $name, $value := $labels }}{{ if ne $name "__name__" -}}"""
        """{{ $alert = printf "%s,%s=%q" $alert $name $value }}{{ end }}{{ end -}}"""
        """{{ with printf "%s}" $alert | query -}}"""
        """{{ (. | first | value | toTime).UTC.Format "2006-01-02 15:04:05" }}{{ end }}"""
    )


def _also(alert: str, labels: Mapping[str, Any], up: Sequence[str]) -> str:
    fixed = labels.get("system")
    begin = f'{{{{ $system := "{fixed}" -}}}}' if fixed else "{{ $system := $labels.system -}}"
    begin += "{{ if $system -}}"
    down = f'{{__name__=~"{"|".join(up)}",system=%q}} == 0'
    others = f"{alert}|{NO_PROBLEM_PATTERN}"
    others = f'count by (alertname) (ALERTS{{alertstate="firing",system=%q,alertname!~"{others}"}})'
    started = f'count by (name) (container_start_time_seconds{{system=%q,name!=""}} > time() - {_LATE})'
    parts = [_list("Down: ", down, "instance", "{{ $one.Labels.job }} {{ $one.Labels.instance }}")] if up else []
    parts.append(_list("Also firing: ", others, "alertname", "{{ $one.Labels.alertname }}"))
    parts.append(_list("Started in the last hour: ", started, "name", "{{ $one.Labels.name }}"))
    return begin + "".join(parts) + "{{ end }}"


def _list(title: str, query: str, label: str, each: str) -> str:
    """The result of a query after a title, as a list sorted by a label; empty where there is no result."""
    entries = f"{{{{ range $index, $one := sortByLabel `{label}` . }}}}{{{{ if $index }}}}, {{{{ end }}}}{each}"
    return f"{{{{ with printf `{query}` $system | query }}}}{title}{entries}{{{{ end }}}}. {{{{ end -}}}}"
