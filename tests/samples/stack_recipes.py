"""The stack's own parts: Prometheus, Alertmanager, Loki, its collector, and the exporter of hosts."""

import json
import time
from contextlib import suppress
from urllib.parse import quote

import yaml

from observability.collector import configuration
from observability.core.documents import load_yaml
from observability.logs import loki as loki_files
from observability.logs import otel as otel_files
from observability.logs.sources import LABEL_FORMAT, LABEL_SYSTEM
from observability.notifier import facts as notifier_facts
from observability.parts import collector as collector_part
from observability.parts import docker_proxy, program, traces
from observability.parts import notifier as notifiers
from observability.parts import status_page as status_pages
from observability.parts.otel_collector import LINES, OTEL, PORT
from observability.status_page import facts as status_page_facts
from observability.systems.load import names
from tests.samples.lab import NAME, Lab, Server
from tests.samples.recipe import Recipe, config
from tests.servers.otlp_metrics import gauge, metrics
from tests.servers.spans import METHOD, Span, request, written

_RULES = """\
groups:
  - name: sample
    rules:
      - {record: sample:up:sum, expr: sum(up)}
      - {alert: Sample, expr: vector(1), labels: {severity: info}}
"""
_PROMETHEUS = """\
global: {scrape_interval: 1s, evaluation_interval: 1s}
alerting: {alertmanagers: [{static_configs: [{targets: ["alertmanager:9093"]}]}]}
rule_files: [rules.yaml]
remote_write: [{url: "http://prometheus:9090/api/v1/write"}]
scrape_configs: [{job_name: prometheus, static_configs: [{targets: ["prometheus:9090"]}]}]
"""
_ALERTMANAGER = """\
route: {receiver: closed, group_wait: 0s, group_interval: 1s}
receivers: [{name: closed, webhook_configs: [{url: "http://client:9/"}]}]
"""
_PAIR = (
    Server(
        name="alertmanager",
        image="alertmanager",
        files={"/etc/alertmanager/sample.yaml": _ALERTMANAGER},
        command=("--config.file=/etc/alertmanager/sample.yaml", "--cluster.listen-address=0.0.0.0:9094"),
    ),
    Server(
        name="alertmanager-2",
        image="alertmanager",
        files={"/etc/alertmanager/sample.yaml": _ALERTMANAGER},
        command=("--config.file=/etc/alertmanager/sample.yaml", "--cluster.peer=alertmanager:9094"),
    ),
    Server(
        name="prometheus",
        image="prometheus",
        files={"/etc/prometheus/sample.yaml": _PROMETHEUS, "/etc/prometheus/rules.yaml": _RULES},
        command=(
            "--config.file=/etc/prometheus/sample.yaml",
            "--storage.tsdb.path=/prometheus",
            "--web.enable-remote-write-receiver",
        ),
    ),
)


def _wait_for_the_alert(lab: Lab) -> None:
    def failed() -> None:
        text = lab.get("http://alertmanager:9093/metrics")
        if not any(
            line.startswith("alertmanager_notifications_failed_total") and line[-2:] != " 0"
            for line in text.splitlines()
        ):
            raise RuntimeError("no notification has failed yet")

    lab.wait(failed)


def prometheus() -> Recipe:
    """Prometheus itself."""
    return Recipe(
        image="prometheus",
        job="prometheus",
        how="scrapes itself, writes to itself by remote write, and sends an alert",
        servers=_PAIR,
        urls=["http://prometheus:9090/metrics"],
        prepare=_wait_for_the_alert,
    )


def alertmanager() -> Recipe:
    """Alertmanager."""
    return Recipe(
        image="alertmanager",
        job="alertmanager",
        how="one of a cluster of two, with a notification that fails",
        servers=_PAIR,
        urls=["http://alertmanager:9093/metrics"],
        prepare=_wait_for_the_alert,
        masks={"peer": {".*": "01EXAMPLE"}, "instance": {".*": "alertmanager-2"}},
    )


def _line(server: str, text: str) -> Server:
    """A container of a watched system that writes one line."""
    labels = {LABEL_SYSTEM: "print-shop", LABEL_FORMAT: "json"}
    return Server(
        name=server, image="prometheus", entrypoint=("/bin/sh",), command=("-c", f"echo '{text}'; exec sleep 3600"),
        labels=labels,
    )  # fmt: skip


def _hasty_loki() -> str:
    """The dev stack's configuration, except that Loki compacts as early as possible."""
    document = load_yaml(loki_files.files(config())["loki.yaml"])
    document["compactor"]["compaction_interval"] = "3s"
    return yaml.safe_dump(document)


def _rejected() -> str:
    """The dev stack's configuration, except that lines and spans go to an address that rejects them, too.

    Spans also go to a queue that has no room, and more traces arrive than are held.
    """
    document = load_yaml(configuration.files(config({"traces": {}, "otlpMetrics": {}}))[configuration.MAIN])
    document["exporters"] |= {
        "otlp_http/rejected": {"endpoint": "http://loki:3100/no-such-page"},
        "otlp_http/full": {
            "endpoint": "http://loki:3100/no-such-page",
            "sending_queue": {"sizer": "bytes", "queue_size": 1, "block_on_overflow": False},
        },
    }
    document["processors"]["tail_sampling"] |= {"num_traces": 2, "decision_wait": "1s"}
    pipelines = document["service"]["pipelines"]
    pipelines["logs/loki"]["exporters"].append("otlp_http/rejected")
    pipelines["traces/kept"]["exporters"] += ["otlp_http/rejected", "otlp_http/full"]
    return yaml.safe_dump(document)


_LOKI = (
    Server(
        name="loki",
        image="loki",
        files={"/etc/loki/loki.yaml": _hasty_loki()},
        command=("-config.file=/etc/loki/loki.yaml",),
    ),
    _line("shop", "this is not JSON"),
    Server(
        name=docker_proxy.NAME,
        image=docker_proxy.NAME,
        files={f"{docker_proxy.FOLDER}/{docker_proxy.MAIN}": docker_proxy.configuration()},
        command=("haproxy", "-f", f"{docker_proxy.FOLDER}/{docker_proxy.MAIN}"),
        user="0",
        mounts={docker_proxy.SOCKET: docker_proxy.SOCKET},
    ),
    Server(
        name="collector",
        image=OTEL.name,
        files={f"/etc/otelcol-contrib/{configuration.MAIN}": _rejected()},
        command=(f"--config=/etc/otelcol-contrib/{configuration.MAIN}",),
        user="0",
        mounts={otel_files.CONTAINERS: otel_files.CONTAINERS},
    ),
)


def _wait_for_the_line(lab: Lab) -> None:
    query = "http://loki:3100/loki/api/v1/query_range?query=" + quote(f'{{container="{NAME}-shop"}}')

    def stored() -> None:
        if "not JSON" not in lab.get(query):
            raise RuntimeError("no line has come yet")

    lab.wait(stored)
    stamp = str(time.time_ns())
    stream = {"stream": {"service": "old"}, "values": [["1000000000000000000", "too old"], [stamp, "new"]]}
    # Partly refused, so that Loki counts what it refuses.
    with suppress(RuntimeError):
        lab.get("http://loki:3100/loki/api/v1/push", post=json.dumps({"streams": [stream]}))
    lab.get("http://loki:3100/flush", post="")

    def stored_and_compacted() -> None:
        lab.get(query)
        text = lab.get("http://loki:3100/metrics")
        for name in ("loki_chunk_store_stored_chunks_total{", "loki_compactor_apply_retention_operation_total{"):
            if name not in text:
                raise RuntimeError(f"there is no {name[:-1]} yet")

    lab.wait(stored_and_compacted)


def _take_spans(lab: Lab) -> None:
    """Spans of every kind that is measured, of more traces than are held."""
    _wait_for_the_line(lab)
    store, peer = {"db.system.name": "postgresql", "db.operation.name": "SELECT"}, {"server.address": "example.com"}
    for _ in range(3):
        of_clients = [Span(kind="client", attributes=store), Span(kind="client", attributes={**METHOD, **peer})]
        text = json.dumps(written("print-shop", [request(200), request(500), *of_clients]))
        lab.get(f"http://collector:{traces.HTTP}/v1/traces", post=text)
    lab.get(f"http://collector:{traces.HTTP}/v1/metrics", post=json.dumps(metrics("print-shop", [gauge("jobs", 1)])))

    def counted() -> None:
        text = lab.get(f"http://collector:{PORT}/metrics")
        for name in ("trace_dropped_too_early", "enqueue_failed_spans", "send_failed_spans", "count_traces_sampled"):
            if name not in text:
                raise RuntimeError(f"there is no {name} yet")
        if "obs_spans_external" not in lab.get(f"http://collector:{traces.MEASURED}/metrics"):
            raise RuntimeError("there are no series of spans yet")

    lab.wait(counted)


def spans() -> Recipe:
    """The series that the collector makes from spans."""
    return Recipe(
        image=OTEL.name,
        job=traces.JOB,
        how="with the dev stack's configuration; spans of servers, and of clients of databases and of other services",
        servers=_LOKI,
        urls=[f"http://collector:{traces.MEASURED}/metrics"],
        prepare=_take_spans,
    )


def loki() -> Recipe:
    """Loki."""
    return Recipe(
        image="loki",
        job="loki",
        how="with the dev stack's configuration; lines were pushed, one too old, read, flushed and compacted",
        servers=_LOKI,
        urls=["http://loki:3100/metrics"],
        prepare=_wait_for_the_line,
        masks={"kv_name": {".*": "ring"}},
    )


def collector() -> Recipe:
    """The log collector."""
    return Recipe(
        image=OTEL.name,
        job=collector_part.NAME,
        how="with the dev stack's configuration; lines it could not parse, lines and spans that were rejected",
        servers=_LOKI,
        urls=[f"http://collector:{port}/metrics" for port in (PORT, LINES)],
        prepare=_take_spans,
        masks={
            "receiver": {".*": "example"},
            "service_instance_id": {".*": "example"},
            "container": {".*": "example"},
            "service": {".*": "example"},
        },
    )


def proxy() -> Recipe:
    """The proxy before the Docker socket."""
    return Recipe(
        image=docker_proxy.NAME,
        job=docker_proxy.NAME,
        how="with its configuration; the OpenTelemetry Collector lists containers through it",
        servers=_LOKI,
        urls=[f"http://{docker_proxy.NAME}:{docker_proxy.METRICS_PORT}/metrics"],
        prepare=_wait_for_the_line,
    )


def notifier() -> Recipe:
    """The notifier."""
    folder = program.folder(notifiers.NAME)
    return Recipe(
        image=notifiers.NAME,
        job=notifiers.NAME,
        how="with its configuration, without the servers that it asks",
        servers=[
            Server(
                name=notifiers.NAME,
                image=notifiers.NAME,
                command=(f"{folder}/{notifier_facts.FILE}",),
                files={f"{folder}/{path}": text for path, text in notifier_facts.files(config(), {}).items()},
            )
        ],
        urls=[f"http://{notifiers.NAME}:{notifiers.PORT}/metrics"],
    )


def status_page() -> Recipe:
    """The status page."""
    system = min(names(None))
    shown = {"url": "https://status.example.com", "components": {"shop": {"title": "Shop", "system": system}}}
    found = config({"systems": {system: {}}, "statusPage": {"enabled": True, **shown}})
    folder = program.folder(status_pages.NAME)
    return Recipe(
        image=status_pages.NAME,
        job=status_pages.NAME,
        how="with its configuration, without Prometheus",
        servers=[
            Server(
                name=status_pages.NAME,
                image=status_pages.NAME,
                command=(f"{folder}/{status_page_facts.FILE}",),
                files={f"{folder}/{path}": text for path, text in status_page_facts.files(found, []).items()},
            )
        ],
        urls=[f"http://{status_pages.NAME}:{status_pages.PORT}/metrics"],
    )


_MDSTAT = """\
Personalities : [raid1]
md0 : active raid1 sdb1[1] sda1[0]
      1048576 blocks super 1.2 [2/2] [UU]

unused devices: <none>
"""
_BACKUP = """\
# TYPE obs_backup_last_run_timestamp_seconds gauge
obs_backup_last_run_timestamp_seconds{backup="stack"} 0
# TYPE obs_backup_last_success_timestamp_seconds gauge
obs_backup_last_success_timestamp_seconds{backup="stack"} 0
# TYPE obs_backup_interval_seconds gauge
obs_backup_interval_seconds{backup="stack"} 0
# TYPE obs_backup_duration_seconds gauge
obs_backup_duration_seconds{backup="stack"} 0
# TYPE obs_backup_data_bytes gauge
obs_backup_data_bytes{backup="stack"} 0
# TYPE obs_backup_added_bytes gauge
obs_backup_added_bytes{backup="stack"} 0
# TYPE obs_backup_repository_bytes gauge
obs_backup_repository_bytes{backup="stack"} 0
# TYPE obs_backup_snapshots gauge
obs_backup_snapshots{backup="stack"} 0
# TYPE obs_backup_last_verified_timestamp_seconds gauge
obs_backup_last_verified_timestamp_seconds{backup="stack"} 0
"""


def node() -> Recipe:
    """The exporter of hosts."""
    return Recipe(
        image="node-exporter",
        job="node",
        how="on a Linux host, and on files made up: those of a RAID, and what `obs backup` records",
        servers=[
            Server(
                name="node",
                image="node-exporter",
                command=("--path.rootfs=/host",),
                mounts={"/": "/host"},
                host_pids=True,
            ),
            Server(
                name="raid",
                image="node-exporter",
                files={"/fixture/proc/mdstat": _MDSTAT, "/fixture/text/backup.prom": _BACKUP},
                command=(
                    "--collector.disable-defaults",
                    "--collector.mdadm",
                    "--collector.textfile",
                    "--collector.textfile.directory=/fixture/text",
                    "--path.procfs=/fixture/proc",
                ),
            ),
        ],
        urls=["http://node:9100/metrics", "http://raid:9100/metrics"],
        masks={
            "mountpoint": {"/": "/"},
            "device": {
                r"/dev/.*": "/dev/sda1",
                r"[shv]d[a-z]+|nvme.*": "sda",
                r"\d+": "0",
                "lo": "lo",
                "eth0": "eth0",
                "md0": "md0",
            },
            "file": {".*": "backup.prom"},
            "nodename": {".*": "host"},
            "release": {".*": "6.1.0"},
            "version": {r"#.*": "#1 SMP", r"go.*": "go1", r"\d+\.\d+\.\d+": r"1.12.1", ".*": "1"},
            "model_name": {".*": "CPU"},
            "address": {".*": "02:00:00:00:00:01"},
            "broadcast": {".*": "ff:ff:ff:ff:ff:ff"},
            "path": {".*": "pci-0000:00:01.0"},
        },
    )
