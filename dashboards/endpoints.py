"""Endpoints and certificates: probes of each address from outside, and the validity of its certificate."""

from typing import Final

from grafana_foundation_sdk.models import dashboard

from dashboards import state
from dashboards.across import OF, back, systems
from dashboards.common import GREEN, ORANGE, RED, Panel, columns, graph, number, over_time, states, steps, worded
from dashboards.layout import Row, assemble, variable
from observability.parts.probe import SERIES, present

UID: Final = "obs-endpoints"

CHOSEN: Final = f'job="blackbox",{OF},instance=~"$instance"'
"""The selected addresses of the selected systems."""


def endpoints() -> dashboard.Dashboard:
    """The dashboard."""
    component = 'component="endpoint"'
    return assemble(
        UID,
        "Endpoints and Certificates",
        "Probes of each address from outside, and the validity of its certificate.",
        [
            Row(
                "State",
                [
                    state.alerts_firing(f"{component},{OF}"),
                    state.firing_since(f"{component},{OF}"),
                    _down(),
                    _availability(),
                    _slowest(),
                    _first_to_end(),
                    _addresses(),
                ],
            ),
            Row("Probes", [_answers(), _time(), _phases(), _keyword(), _status()]),
            Row("Certificates", [_validity()]),
        ],
        links=[back()],
        variables=[systems(), variable("instance", "Address", f"label_values(probe_success{{{OF}}}, instance)")],
        alerts=f"{component},{OF}",
        period="6h",
    )


def _of(series: str) -> str:
    return present(series, CHOSEN) if series in SERIES else f"{series}{{{CHOSEN}}}"


def _samples(series: str) -> str:
    """The probes themselves, for a range."""
    return f"{series}{{{CHOSEN}}}"


def _limits(threshold: str) -> str:
    """The values of the selected systems, each value once."""
    return f"max by (severity) (app:threshold:{threshold}{{{OF}}})"


def _down() -> Panel:
    return number(
        "Addresses Down",
        "Addresses whose probe fails.",
        "short",
        over_time(f"sum({_of('probe_success')} == bool 0)"),
    ).thresholds(steps((None, GREEN), (1, RED)))


def _availability() -> Panel:
    return number(
        "Availability in 24 Hours",
        "Share of successful probes in the last 24 hours.",
        "percentunit",
        over_time(f"avg(avg_over_time({_samples('probe_success')}[24h]))"),
    ).thresholds(steps((None, RED), (0.99, ORANGE), (0.999, GREEN)))


def _slowest() -> Panel:
    return number(
        "Slowest Address",
        "Duration of the slowest probe.",
        "s",
        over_time(f"max({_of('probe_duration_seconds')})"),
    )


def _first_to_end() -> Panel:
    return (
        number(
            "First Certificate Expires In",
            "Time until the first certificate expires.",
            "s",
            over_time(f"min({_of('probe_ssl_earliest_cert_expiry')} - time())"),
        )
        .no_value("No certificate")
        .thresholds(steps((None, RED), (3 * 86400, ORANGE), (14 * 86400, GREEN)))
    )


def _addresses() -> Panel:
    def by_address(expr: str) -> str:
        return f"max by (system, probe, instance) ({expr})"

    table = columns(
        "Addresses",
        "Each address: result and duration of its probe, and the validity of its certificate.",
        {
            "Up": (by_address(_of("probe_success")), "none"),
            "Up in 24 Hours": (by_address(f"avg_over_time({_samples('probe_success')}[24h])"), "percentunit"),
            "Time": (by_address(_of("probe_duration_seconds")), "s"),
            "Status": (by_address(_of("probe_http_status_code")), "none"),
            "Certificate Expires In": (by_address(f"{_of('probe_ssl_earliest_cert_expiry')} - time()"), "s"),
        },
        width=24,
        first=("system", "instance", "probe"),
    )
    return worded(table, "Up", state.UP_OR_DOWN).override_by_name(
        "instance", [dashboard.DynamicConfigValue(id_val="custom.width", value=400)]
    )


def _answers() -> Panel:
    return states(
        "Availability",
        "When the probe of each address succeeded.",
        over_time(_of("probe_success"), "{{instance}}"),
        state.UP_OR_DOWN,
    )


def _time() -> Panel:
    return graph(
        "Probe Duration",
        "Duration of a probe, including DNS and connection.",
        "s",
        over_time(_of("probe_duration_seconds"), "{{instance}}"),
        limits=_limits("endpoint_time"),
        width=12,
    )


def _phases() -> Panel:
    return graph(
        "Time by Phase",
        "Time of all probes by phase.",
        "s",
        over_time(f"sum by (phase) ({_of('probe_http_duration_seconds')})", "{{phase}}"),
    )


def _keyword() -> Panel:
    text, value = _of("probe_failed_due_to_regex"), _of("probe_failed_due_to_cel")
    return graph(
        "Keyword Missing",
        "1: the response does not contain the keyword or the JSON value.",
        "short",
        over_time(f"{text} + {value} or {text} or {value}", "{{instance}}"),
    ).max(1)


def _status() -> Panel:
    return graph(
        "Status",
        "HTTP status of each address; 0 is no response.",
        "none",
        over_time(_of("probe_http_status_code"), "{{instance}}"),
    )


def _validity() -> Panel:
    return graph(
        "Certificates",
        "Time until each certificate expires.",
        "s",
        over_time(f"{_of('probe_ssl_earliest_cert_expiry')} - time()", "{{instance}}"),
        limits=_limits("certificate_validity"),
        width=24,
    )
