"""Which alerts mute others, so that one outage is one page.

Alertmanager treats a label that both alerts lack as equal; a rule here names the labels that both must have
(`required`), so that alerts without a label never mute one another. An alert that matches both sides of a rule is
never muted by it. A critical alert mutes for some minutes after its end (`RECENT`): its effects end later than it
does, and would be sent as new problems. The alerts of `obs alert-test` mute nothing. An alert that is muted only by a
silenced alert is sent all the same: see `observability/alerting/unmute/`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from observability.alerting.matchers import Matcher
from observability.alerting.routes import MARK_LABEL, PAGE_LABEL
from observability.core.alert import RECENT, UPDATE, UPDATE_SENT
from observability.parts.collector import NAME as COLLECTOR

CAUSE_LABEL: Final = "cause_silenced"
"""Label of an alert that is sent although a silenced alert mutes it; its value is the name of the silenced alert."""

SAME_TROUBLE: Final = (
    *("condition", "system", "instance", "route", "operation"),
    *("device", "probe", "slo", "name", "mount", "datname", "integration"),
)
"""Labels that are equal for a warning and its critical alert: the condition, and all labels that identify the object.
Without `device`, one full disk would mute another one."""

DATABASES: Final = "DatabaseDown|ElasticsearchDown"
STORES: Final = f"{DATABASES}|RedisDown|NginxDown|GrafanaDown"
"""Alerts that are more specific about a target than ServiceDown."""

HOSTS: Final = "HostDown|HostSilent"
"""Alerts on a whole host."""

FAILURES: Final = "error_rate|failure_rate"
"""Conditions of an application that fails requests."""

SHORT: Final = Matcher(label="window", value="5m")
LONG: Final = Matcher(label="window", value="30m")
"""How long an alert `RECENT` repeats one that has ended: for effects in general, and for error budgets."""

_RENAMED: Final[Mapping[str, str | None]] = {
    "alertname": "cause",
    "component": "cause_component",
    PAGE_LABEL: "cause_page",
    "severity": None,
}
"""Labels of a critical alert in the alert `RECENT` that repeats it; None: it repeats critical alerts only."""

UNEXPLAINED: Final = "certificate|inventory|token_budget"
"""Conditions that no outage causes, for any component."""


@dataclass(frozen=True, kw_only=True)
class Inhibition:
    """While an alert with the matchers `source` fires, those with `target` and the same `equal` labels are muted."""

    name: str
    words: str
    """The source, as shown by `obs route`."""
    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...]
    required: tuple[str, ...]
    """Those of `equal` that both alerts must have."""

    def afterwards(self) -> "Inhibition":
        """The rule by which the source mutes for some minutes after its end, but not itself if it fires again."""
        others = (_not("alertname", one.value) for one in self.source if one.label == "alertname")
        renamed = (
            replace(one, label=name) for one in self.source if (name := _RENAMED.get(one.label, one.label)) is not None
        )
        return replace(
            self,
            name=f"{self.name}, afterwards",
            source=(_is("alertname", RECENT), SHORT, *renamed),
            target=(*self.target, *others),
        )

    def rule(self) -> dict[str, Any]:
        """The rule in Alertmanager's form."""
        present = tuple(Matcher(label=label, value="", operator="!=") for label in self.required)
        # A test alert mutes nothing: the alerts that it would mute are real.
        source = (*self.source, *present, Matcher(label=MARK_LABEL, value=""))
        target = (*self.target, *present, Matcher(label=CAUSE_LABEL, value=""))
        return {
            "name": self.name,
            "source_matchers": [str(matcher) for matcher in source],
            "target_matchers": [str(matcher) for matcher in target],
            "equal": list(self.equal),
        }

    def may_mute(self, labels: Mapping[str, str]) -> bool:
        """Whether it can mute an alert with these labels and possibly more."""
        if not all(matcher.holds(labels) for matcher in self.target) or labels.get(CAUSE_LABEL):
            return False
        # An alert that matches both sides of a rule is not muted by other alerts that do.
        return not all(matcher.holds(labels) for matcher in self.source)


def _is(label: str, value: str) -> Matcher:
    return Matcher(label=label, value=value, operator="=~" if "|" in value else "=")


def _not(label: str, value: str) -> Matcher:
    return Matcher(label=label, value=value, operator="!~" if "|" in value else "!=")


_CRITICAL: Final = _is("severity", "critical")
_EXPLAINED: Final = _not("condition", UNEXPLAINED)
_SYSTEM: Final = ("system",)

INHIBITIONS: Final = (
    Inhibition(
        name="critical over warning",
        words="a critical alert",
        source=(_CRITICAL,),
        target=(_is("severity", "warning"),),
        equal=SAME_TROUBLE,
        required=("condition", "system"),
    ),
    # Prometheus adds the label `host` to every alert that it sends. Probes from outside do not depend on one host.
    Inhibition(
        name="host down",
        words="HostDown",
        source=(_is("alertname", "HostDown"),),
        target=(_not("alertname", HOSTS), _not("component", "endpoint")),
        equal=("host",),
        required=("host",),
    ),
    # A host may be down and then silent; not the other way round, as the samples by which it is down come from it.
    Inhibition(
        name="host silent",
        words="HostSilent",
        source=(_is("alertname", "HostSilent"),),
        target=(_not("alertname", "HostSilent"), _not("component", "endpoint")),
        equal=("host",),
        required=("host",),
    ),
    Inhibition(
        name="server down over its target",
        words=STORES.replace("|", " or "),
        source=(_is("alertname", STORES),),
        target=(_is("alertname", "ServiceDown"),),
        equal=("system", "instance"),
        required=("system", "instance"),
    ),
    Inhibition(
        name="server down over its own alerts",
        words=STORES.replace("|", " or "),
        source=(_is("alertname", STORES),),
        target=(_is("component", "database|cache|proxy"),),
        equal=("system", "instance"),
        required=("system", "instance"),
    ),
    # Alerts of the application on its database have no instance. Critical alerts of a second database have one.
    Inhibition(
        name="database down over its clients",
        words=DATABASES.replace("|", " or "),
        source=(_is("alertname", DATABASES),),
        target=(_is("component", "database"), _is("instance", "")),
        equal=_SYSTEM,
        required=_SYSTEM,
    ),
    Inhibition(
        name="database down over warnings",
        words=DATABASES.replace("|", " or "),
        source=(_is("alertname", DATABASES),),
        target=(_is("component", "database"), _not("severity", "critical")),
        equal=_SYSTEM,
        required=_SYSTEM,
    ),
    Inhibition(
        name="database down over what depends on it",
        words=DATABASES.replace("|", " or "),
        source=(_is("alertname", DATABASES),),
        target=(_is("component", "application|business|endpoint|logs"), _EXPLAINED),
        equal=_SYSTEM,
        required=_SYSTEM,
    ),
    # Without its cache an application is slow; failed requests are a separate problem.
    Inhibition(
        name="cache down over its clients",
        words="RedisDown",
        source=(_is("alertname", "RedisDown"),),
        target=(_is("condition", "cache_hit_rate|response_time"),),
        equal=_SYSTEM,
        required=_SYSTEM,
    ),
    Inhibition(
        name="cache down over warnings",
        words="RedisDown",
        source=(_is("alertname", "RedisDown"),),
        target=(_is("component", "application"), _not("severity", "critical")),
        equal=_SYSTEM,
        required=_SYSTEM,
    ),
    Inhibition(
        name="proxy down over what is behind it",
        words="NginxDown",
        source=(_is("alertname", "NginxDown"),),
        target=(_is("component", "business|endpoint"), _EXPLAINED),
        equal=_SYSTEM,
        required=_SYSTEM,
    ),
    # It pages only when no instance of the system is up.
    Inhibition(
        name="system down over its symptoms",
        words="ServiceDown of all instances",
        source=(_is("alertname", "ServiceDown"), _is("component", "service"), _not(PAGE_LABEL, "no")),
        target=(_is("component", "application|business|endpoint|logs"), _EXPLAINED),
        equal=_SYSTEM,
        required=_SYSTEM,
    ),
    Inhibition(
        name="failures over their symptoms",
        words="a critical alert on failed requests",
        source=(_CRITICAL, _is("component", "application"), _is("condition", FAILURES)),
        target=(
            _is("component", "application|business|endpoint|logs"),
            _EXPLAINED,
            _is("condition", "error_budget|response_time|down|keyword|log_errors|order_rate|revenue|transactions"),
        ),
        equal=_SYSTEM,
        required=_SYSTEM,
    ),
    Inhibition(
        name="slow responses over their symptoms",
        words="a critical alert on response times",
        source=(_CRITICAL, _is("component", "application"), _is("condition", "response_time")),
        target=(
            _is("component", "application|endpoint"),
            _not("severity", "critical"),
            _is("condition", "response_time|performance"),
            _is("route", ""),
        ),
        equal=_SYSTEM,
        required=_SYSTEM,
    ),
    Inhibition(
        name="slow responses over the error budget",
        words="a critical alert on response times",
        source=(_CRITICAL, _is("component", "application"), _is("condition", "response_time")),
        target=(_is("condition", "error_budget"), Matcher(label="slo", value="latency.*", operator="=~")),
        equal=_SYSTEM,
        required=_SYSTEM,
    ),
    Inhibition(
        name="endpoint down over the error budget",
        words="EndpointDown",
        source=(_is("alertname", "EndpointDown"),),
        target=(_is("condition", "error_budget"),),
        equal=_SYSTEM,
        required=_SYSTEM,
    ),
    # Without the collector no system's lines arrive.
    Inhibition(
        name="collector down over silent logs",
        words=f"ServiceDown of job {COLLECTOR}",
        source=(_is("alertname", "ServiceDown"), _is("job", COLLECTOR)),
        target=(_is("condition", "logs_silent"),),
        equal=("cluster",),
        required=("cluster",),
    ),
    # The end of an update is no message: see `observability/notifier/updates.py`.
    Inhibition(
        name="update sent",
        words="an update that was sent",
        source=(_is(UPDATE_SENT, "yes"),),
        target=(_not(UPDATE, ""),),
        equal=(UPDATE,),
        required=(),
    ),
)


BUDGET_AFTERWARDS: Final = Inhibition(
    name="outage over the error budget, afterwards",
    words="a critical alert of the last half hour",
    source=(
        _is("alertname", RECENT),
        LONG,
        _is("cause_component", "application|service|database|cache|proxy|endpoint"),
    ),
    target=(_is("condition", "error_budget"),),
    equal=_SYSTEM,
    required=_SYSTEM,
)
"""The part of the budget that an outage took: its short windows are up to 30 minutes long."""


def rules() -> list[dict[str, Any]]:
    """Alertmanager's `inhibit_rules`."""
    # Alertmanager names the first rule that mutes an alert; one whose source fires comes first, as it may be silenced.
    afterwards = (*(inhibition.afterwards() for inhibition in INHIBITIONS), BUDGET_AFTERWARDS)
    return [inhibition.rule() for inhibition in (*INHIBITIONS, *afterwards)]
