"""Elasticsearch: status, shards, heap, disk, queries and indexing."""

from grafana_foundation_sdk.models import dashboard

from dashboards import state
from dashboards.common import GREEN, ORANGE, RATE, RED, Panel, graph, number, over_time, states
from dashboards.layout import Row, assemble
from dashboards.stores import Store
from dashboards.subject import Subject


def elasticsearch(subject: Subject) -> dashboard.Dashboard | None:
    """The dashboard; None without a monitored cluster of the system."""
    if "elasticsearch" not in subject.jobs:
        return None
    store = Store(subject=subject, job="elasticsearch")
    alerts = f'alertname=~"Elasticsearch.*",{subject.alerts}'
    return assemble(
        f"{subject.name}-elasticsearch",
        f"{subject.system.title}: Elasticsearch",
        "Status, shards, heap, disk, queries and indexing.",
        [
            Row(
                "State",
                [
                    state.alerts_firing(alerts),
                    state.firing_since(alerts),
                    _nodes(store),
                    _documents(store),
                    _colour(store),
                    store.states(),
                ],
            ),
            Row("Throughput", [_search(store), _searches(store), _indexing(store)]),
            Row("Capacity", [_heap(store), _disk(store), _shards(store)]),
        ],
        tags=subject.tags,
        links=subject.links,
        variables=[store.variable()],
        alerts=alerts,
    )


def _nodes(store: Store) -> Panel:
    nodes = store.of("elasticsearch_cluster_health_number_of_nodes")
    return number("Nodes", "Nodes in the clusters.", "short", over_time(f"sum({nodes})"))


def _documents(store: Store) -> Panel:
    documents = store.of("elasticsearch_indices_docs")
    return number("Documents", "Stored documents, including replicas.", "short", over_time(f"sum({documents})"))


def _searches(store: Store) -> Panel:
    queries = store.of("elasticsearch_indices_search_query_total")
    return graph(
        "Elasticsearch Queries",
        "Queries a second, counted for each shard.",
        "ops",
        over_time(f"sum by (name) (rate({queries}[{RATE}]))", "{{name}}"),
    )


def _indexing(store: Store) -> Panel:
    stored = store.of("elasticsearch_indices_indexing_index_total")
    return graph(
        "Elasticsearch Indexing",
        "Indexed documents a second, including replicas.",
        "ops",
        over_time(f"sum by (name) (rate({stored}[{RATE}]))", "{{name}}"),
    )


def _colour(store: Store) -> Panel:
    def level(value: int, colour: str) -> str:
        chosen = store.of("elasticsearch_cluster_health_status", f'color="{colour}"')
        return f"{value} * group by (cluster) ({chosen} == 1)"

    return states(
        "Elasticsearch Health",
        "Green: all shards are assigned; yellow: replicas are missing; red: primaries are missing.",
        over_time(" or ".join((level(3, "red"), level(2, "yellow"), level(1, "green"))), "{{cluster}}"),
        {1: ("green", GREEN), 2: ("yellow", ORANGE), 3: ("red", RED)},
        width=12,
    )


def _shards(store: Store) -> Panel:
    return graph(
        "Elasticsearch Unassigned Shards",
        "Shards that are not assigned to a node.",
        "short",
        over_time(store.of("elasticsearch_cluster_health_unassigned_shards"), "{{cluster}}"),
    )


def _heap(store: Store) -> Panel:
    used = store.of("elasticsearch_jvm_memory_used_bytes", 'area="heap"')
    most = store.of("elasticsearch_jvm_memory_max_bytes", 'area="heap"')
    return graph(
        "Elasticsearch Heap",
        "Used share of each node's heap.",
        "percentunit",
        over_time(f"{used} / {most}", "{{name}}"),
        limits=store.subject.limits("elasticsearch_heap_ratio"),
    ).max(1)


def _disk(store: Store) -> Panel:
    free = store.of("elasticsearch_filesystem_data_available_bytes")
    return graph(
        "Elasticsearch Disk",
        "Used share of each node's disk; above 95% its indices become read-only by default.",
        "percentunit",
        over_time(f"1 - {free} / {store.of('elasticsearch_filesystem_data_size_bytes')}", "{{name}} {{mount}}"),
        limits=store.subject.limits("disk_ratio"),
    ).max(1)


def _search(store: Store) -> Panel:
    def rate(series: str) -> str:
        return f"sum by (name) (rate({store.of(series)}[{RATE}]))"

    spent, asked = (
        rate("elasticsearch_indices_search_query_time_seconds"),
        rate("elasticsearch_indices_search_query_total"),
    )
    return graph(
        "Elasticsearch Query Time",
        "Average time of a query on each node.",
        "s",
        over_time(f"{spent} / ({asked} > 0)", "{{name}}"),
    )
