"""nginx of a system: a row of its application dashboard where an nginx server is monitored."""

from dashboards import state
from dashboards.common import RATE, Panel, graph, over_time, states
from dashboards.layout import Row
from dashboards.subject import Subject


def row(subject: Subject) -> Row:
    """Requests, connections and dropped connections."""
    return Row("nginx", [_answers(subject), _requests(subject), _connections(subject), _dropped(subject)])


def _answers(subject: Subject) -> Panel:
    return states(
        "nginx Availability",
        "When nginx was up.",
        over_time(
            f"min by (instance) ({subject.of('up', job='nginx')} == 0 or {subject.of('nginx_up')})", "{{instance}}"
        ),
        state.UP_OR_DOWN,
        width=6,
    )


def _requests(subject: Subject) -> Panel:
    return graph(
        "nginx Requests",
        "Requests a second.",
        "reqps",
        over_time(f"sum by (instance) (rate({subject.of('nginx_http_requests_total')}[{RATE}]))", "{{instance}}"),
        width=6,
    )


def _connections(subject: Subject) -> Panel:
    return graph(
        "nginx Connections",
        "Open connections by state: reading a request, writing a response, waiting for the next request.",
        "short",
        *(
            over_time(f"sum({subject.of(f'nginx_connections_{what}')})", what, ref)
            for ref, what in zip("ABCD", ("active", "reading", "writing", "waiting"), strict=True)
        ),
        limits=subject.limits("nginx_connections"),
    )


def _dropped(subject: Subject) -> Panel:
    accepted, handled = subject.of("nginx_connections_accepted"), subject.of("nginx_connections_handled")
    return graph(
        "nginx Dropped Connections",
        "Connections a second that were accepted and then dropped.",
        "cps",
        over_time(
            f"sum by (instance) (rate({accepted}[{RATE}]) - rate({handled}[{RATE}]))",
            "{{instance}}",
        ),
        limits=subject.limits("nginx_dropped"),
    )
