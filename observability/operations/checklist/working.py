"""Items of the checklist about what people work with: logs, alerts, dashboards, incident response."""

from typing import Final

from observability.operations.checklist import lines, stated
from observability.operations.checklist.measured import delivered, every_component, fatigue, validated
from observability.operations.checklist.model import Item
from observability.operations.checklist.watching import LOAD
from observability.operations.playbook import FORM

_SEND: Final = "select its containers or files in observability:systems.<name>.logs; see docs/logs.md"
_UP: Final = "./obs up {stack}"
_WRITE: Final = "write that section in docs/playbook.md of your project folder"

LOGS: Final = (
    Item(
        id="logs.applications",
        text="Application logs centralized",
        ask=lines.of_loki(lines.of_applications),
        fix=_SEND,
    ),
    Item(
        id="logs.errors",
        text="Error logs captured",
        ask=lines.of_loki(lines.of_errors),
        fix="write a level in each line, or name the format with the Docker label obs.logs; see docs/logs.md",
    ),
    Item(
        id="logs.access",
        text="Access logs captured",
        ask=lines.of_loki(lines.of_kind({"nginx": "nginx"}, "no nginx server is placed in the settings")),
        fix=_SEND,
    ),
    Item(
        id="logs.database",
        text="Database logs captured",
        ask=lines.of_loki(
            lines.of_kind({"postgres": "postgres", "redis": "redis"}, "no PostgreSQL or Redis server is placed")
        ),
        fix=_SEND,
    ),
    Item(
        id="logs.retention",
        text="Log retention configured",
        ask=lines.of_loki(lines.retention),
        fix="set observability:loki.retention; ./obs up {stack}",
    ),
    Item(
        id="logs.search",
        text="Log search functional",
        ask=lines.of_loki(lines.search),
        fix="./obs logs loki {stack}; runbooks/LokiRequestErrors.md",
    ),
)

ALERTS: Final = (
    Item(id="alerts.rules", text="Alert rules defined for all critical metrics", ask=every_component, fix=LOAD),
    Item(
        id="alerts.thresholds",
        text="Alert thresholds validated",
        ask=validated,
        fix="correct the threshold in systems/<name>.yaml or in the settings; ./obs up {stack}",
    ),
    Item(
        id="alerts.routing",
        text="Alert routing configured",
        ask=stated.routing,
        fix="observability:notifications; ./obs route ALERT {stack} shows the receivers",
    ),
    Item(
        id="alerts.notifications",
        text="Alert notifications working",
        ask=delivered,
        fix="./obs alert-test {stack} sends a test alert and shows the servers' errors",
    ),
    Item(
        id="alerts.escalation",
        text="Escalation paths defined",
        ask=stated.escalation,
        fix="observability:onCall.schedules.<team>.escalation; see docs/on-call.md",
    ),
    Item(
        id="alerts.fatigue",
        text="Alert fatigue minimized",
        ask=fatigue,
        fix="dashboard Alerts shows what fires most often: correct its threshold, its wait, or `page` in "
        "systems/<name>.yaml",
    ),
)

DASHBOARDS: Final = (
    Item(
        id="dashboards.system",
        text="System dashboard created",
        ask=stated.of_dashboards("system", "no host is placed in the settings"),
        fix=_UP,
    ),
    Item(
        id="dashboards.application",
        text="Application dashboard created",
        ask=stated.of_dashboards("application", "no system is watched"),
        fix=_UP,
    ),
    Item(
        id="dashboards.database",
        text="Database dashboard created",
        ask=stated.of_dashboards("database", "no watched system has a database"),
        fix=_UP,
    ),
    Item(
        id="dashboards.business",
        text="Business metrics dashboard created",
        ask=stated.of_dashboards("business", "no watched system declares figures of its business"),
        fix=_UP,
    ),
    Item(
        id="dashboards.access",
        text="Dashboards accessible to team",
        ask=stated.of_grafana(stated.accessible),
        fix="observability:grafana.oidc, or users in Grafana; see docs/grafana.md",
    ),
    Item(
        id="dashboards.updated",
        text="Dashboards updated regularly",
        ask=stated.of_grafana(stated.updated),
        fix="./obs up {stack}; ./obs preview {stack} --refresh shows what was changed by hand",
    ),
)

INCIDENTS: Final = (
    Item(
        id="incidents.rotation",
        text="On-call rotation defined",
        ask=stated.rotation,
        fix="observability:onCall; see docs/on-call.md",
    ),
    Item(
        id="incidents.playbook",
        text="Incident response playbook documented",
        ask=stated.of_playbook("Priorities", stated.documented),
        fix=_WRITE,
    ),
    Item(
        id="incidents.templates",
        text="Communication templates prepared",
        ask=stated.of_playbook("Messages", stated.templates),
        fix=_WRITE,
    ),
    Item(
        id="incidents.matrix",
        text="Escalation matrix defined",
        ask=stated.of_playbook("Escalation", stated.matrix),
        fix="write it in docs/playbook.md, and the same steps in observability:onCall.schedules.<team>.escalation",
    ),
    Item(
        id="incidents.post-mortem",
        text="Post-mortem process defined",
        ask=stated.of_playbook(FORM, stated.post_mortem),
        fix=_WRITE,
    ),
    Item(
        id="incidents.status-page",
        text="Status page configured",
        ask=stated.status_page,
        fix="set observability:statusPage, as docs/status-page.md says; ./obs up {stack}",
    ),
)

WORKING: Final = (*LOGS, *ALERTS, *DASHBOARDS, *INCIDENTS)
