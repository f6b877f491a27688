"""Every panel of every dashboard has data, in the stack with all five systems; panels for faults after a fault."""

import time
from typing import Final

import pytest

from dashboards.queries import Query
from tests.live import past
from tests.live.conftest import Project, until
from tests.soak.panels import answered, asked, disturbed, live_config, resume

_NO_TLS: Final = "no address of the demo speaks TLS, so there is no certificate"

_NO_SEARCH: Final = "nobody searches for traces in it, so Jaeger reads none"

WITHOUT_DATA: Final[dict[tuple[str, str], str]] = {
    ("obs-traces", "Failed Reads of the Store"): _NO_SEARCH,
    ("obs-traces", "Duration of Queries"): _NO_SEARCH,
    ("obs-endpoints", "First Certificate Expires In"): _NO_TLS,
    ("obs-endpoints", "Addresses"): _NO_TLS,
    ("obs-endpoints", "Certificates"): _NO_TLS,
    ("obs-cost", "Bytes per Sample"): "Prometheus writes its first block when it has run for two hours or more",
}
"""Panels of which one query returns nothing, and why; all their other queries return data."""

ALL: Final = sorted({(query.dashboard, query.owner) for query in asked(live_config())})

MINUTE: Final = 'max_over_time(active_users{system="social-selling"}[1h:1m])'
MINUTE_SECONDS: Final = 120

FIRING: Final = 'count(count by (system) (ALERTS{alertname="ServiceDown",alertstate="firing"})) == 6'
FIRING_SECONDS: Final = 90
"""Every system has an alert with a wait of a minute, and so has the stack itself."""

RESUMED_SECONDS: Final = 60
"""Until the paused targets are scraped again, and their series recorded again."""


@pytest.fixture(scope="module")
def unanswered(stack: Project) -> dict[Query, bool]:
    """Every query, and whether it returned nothing: before, during or after the faults."""
    past.give(stack)
    # Series with a window of a minute need a minute of samples.
    until(lambda: stack.prometheus("query", query=MINUTE)["result"], MINUTE_SECONDS)
    every = list(asked(live_config(stack)))
    left = set(every)
    with disturbed(stack):
        left -= answered(stack, left)
        until(lambda: stack.prometheus("query", query=FIRING)["result"], FIRING_SECONDS)
        left -= answered(stack, left)
        resume(stack)
        deadline = time.monotonic() + RESUMED_SECONDS
        while time.monotonic() < deadline and {(query.dashboard, query.owner) for query in left} - WITHOUT_DATA.keys():
            time.sleep(2)
            left -= answered(stack, left)
    return {query: query in left for query in every}


@pytest.mark.parametrize(("dashboard", "panel"), ALL, ids=["/".join(one) for one in ALL])
def test_every_query_of_the_panel_returns_data(unanswered: dict[Query, bool], dashboard: str, panel: str) -> None:
    own = {query: empty for query, empty in unanswered.items() if (query.dashboard, query.owner) == (dashboard, panel)}
    if not own:
        pytest.skip("a part that it is about does not run here")
    empty = [query.filled for query, nothing in own.items() if nothing]
    if (dashboard, panel) in WITHOUT_DATA:
        assert len(empty) == 1, f"{dashboard}, {panel}: {len(empty)} queries return nothing, where one is expected to"
    else:
        assert not empty, f"{dashboard}, {panel}: no data from\n" + "\n".join(empty)
