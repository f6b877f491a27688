"""The configuration of the OpenTelemetry Collector (contrib) as the log collector.

It reads the output of every container of the host, of other programs too: `docker_observer` finds them, and
`receiver_creator` starts one `file_log` receiver for each on Docker's json-file logs. Which system they belong to is
decided by `sources.relabels`; how lines are parsed, by `formats`.

Nothing is buffered in memory between the file and the queue on disk: a position is stored after its lines are in the
queue. So there is no batch processor; batches are made by the exporter, from the queue. Lines that are one entry are
joined while the file is read (`entries`). The only exception is a line of over 16 KiB, which Docker writes in pieces:
if the collector is killed between two of them, the first is lost.

The observer reports changes once a second. A container that lives for less than that may not be read at all, and the
last lines of one that has ended are read only if a file is looked at (`_POLL`) between their writing and the report.
If it is started again, they are read then. A file of positions holds the first 1000 bytes of the log, by which it is
recognised after a rotation, as they were written: secrets in them are in the collector's own volume.

Lines that could not be parsed are counted by the count connector, made cumulative, and served as a counter to be
scraped (`LINES`). By remote write the counter would have a sample only when a line was counted, and would be stale
five minutes later; a rule of Loki's ruler would be a gauge with another meaning.

Loki indexes attributes of the resource only (`loki.INDEXED`), so what a line says of itself (level, system, team) is
moved there by `groupbyattrs`; all other attributes become structured metadata.
"""

import json
from typing import Any, Final

from observability.core.naming import COMPOSE_PROJECT
from observability.logs import entries, inputs
from observability.logs import statements as s
from observability.logs.loki import HOST, INDEXED, indexed
from observability.logs.redaction import hint, secrets
from observability.logs.sources import FORMAT, LABELS, NAME, exposed, relabels
from observability.parts.docker_proxy import ADDRESS
from observability.parts.otel_collector import DATA, HEALTH, LINES, PORT
from observability.parts.otel_export import ANY, BACKOFF_LIMIT, CREDENTIAL, STORAGE, credential, edge, sending
from observability.settings.load import StackConfig

ARGUMENTS: Final = ("--feature-gates=stanza.synchronousLogEmitter",)
"""Arguments of the program besides the configuration. Without this gate (alpha in 0.165) a receiver holds lines for
100 ms after it has stored their position: a collector that is killed loses them."""

CONTAINERS: Final = "/var/lib/docker/containers"
"""Folder of Docker's logs."""

ENDPOINT: Final = "http://loki:3100/otlp"

UNPARSED: Final = "obs_collector_lines_unparsed_total"
"""The counter of unreadable lines, with the labels of their stream."""

DROPPED: Final = "obs_collector_lines_dropped_total"
"""The counter of lines that are not stored, with the labels of their stream and the reason."""

IMAGE: Final = "image"
PROJECT: Final = "compose_project"

LONGEST: Final = 150 * 1024
"""Bytes from which a line is stored in pieces. What completes it may be as long as an entry; Loki rejects lines over
256 KiB."""

QUEUE: Final = 1024**3
"""Bytes of lines that wait on disk for Loki. Then reading pauses, and Docker's files are the rest of the queue."""

_UNFINISHED: Final = "1s"
"""How long a piece of a line waits for the next one."""

_POLL: Final = "100ms"
"""How often a file is looked at: 0.3 % of a core for each container (0.15 % at the default of 200 ms)."""


def document(config: StackConfig, host: str | None = None) -> dict[str, Any]:
    """What reads lines, before `$` is escaped; on another host it sends to the edge, else to Loki."""
    others = inputs.receivers(config, host)
    email = config.settings.collector.redact_email
    metadata = (name for source in inputs.sources_of(config, host) for name in source.file.metadata)
    kept = (*INDEXED, FORMAT, IMAGE, PROJECT, inputs.SOURCE, inputs.LISTENER, *metadata)
    return {
        "extensions": {
            "health_check": {"endpoint": f"{ANY}:{HEALTH}"},
            **(credential() if host else {}),
            "docker_observer": {
                "endpoint": ADDRESS,
                "timeout": "10s",
                "include_all_containers": True,
                # A receiver, and so the file of its positions, is named after the host: an address would change.
                "use_hostname_if_present": True,
                "cache_sync_interval": "1m",
            },
            "file_storage/positions": {"directory": f"{DATA}/positions", "create_directory": True},
            STORAGE: {
                "directory": f"{DATA}/queue",
                "create_directory": True,
                "compaction": {"directory": f"{DATA}/queue", "on_start": True, "on_rebound": True},
            },
        },
        "receivers": {"receiver_creator/containers": _containers(), **others},
        "processors": {
            "memory_limiter": {"check_interval": "1s", "limit_percentage": 80, "spike_limit_percentage": 20},
            "transform/stream": {
                "error_mode": "silent",
                "log_statements": [
                    {
                        "context": "resource",
                        "statements": [
                            *s.selection(relabels(config), config.teams),
                            f"keep_keys(resource.attributes, {_list(*kept)})",
                            *_host(config),
                            f"truncate_all(resource.attributes, {s.KEPT_LABEL})",
                        ],
                    }
                ],
            },
            "transform/parse": {
                "error_mode": "silent",
                "log_statements": [{"context": "log", "statements": [*s.parsing(config)]}],
            },
            "transform/redact": {
                "error_mode": "silent",
                "log_statements": [
                    {
                        "context": "log",
                        "conditions": [
                            s.matches("log.body", hint(email=email)),
                            # The text of an object, in which escapes of the line are resolved.
                            s.matches(s.attribute("context"), hint(email=email)),
                        ],
                        "statements": [*s.redacting(secrets(email=email))],
                    }
                ],
            },
            "filter/dropped": {"error_mode": "silent", "log_conditions": [f"{s.attribute(s.REASON)} != nil"]},
            "groupbyattrs": {"keys": ["level", "system", "team"]},
            "transform/labels": {
                "error_mode": "silent",
                "log_statements": [
                    {
                        "context": "resource",
                        "statements": [
                            f'delete_key(resource.attributes, "{name}")'
                            for name in (FORMAT, inputs.SOURCE, inputs.LISTENER)
                        ],
                    },
                    # Loki would store the receiver's name and version with each line.
                    {"context": "scope", "statements": ['set(scope.name, "")', 'set(scope.version, "")']},
                ],
            },
            # The same stream is one series, also after its container was replaced by one of another image. A count has
            # the times of its lines, of which one may be before those that were counted earlier: it would be dropped.
            "transform/counter": {
                "error_mode": "silent",
                "metric_statements": [
                    {"context": "resource", "statements": ["keep_keys(resource.attributes, [])"]},
                    {
                        "context": "datapoint",
                        "statements": ["set(datapoint.start_time_unix_nano, 0)", "set(datapoint.time, Now())"],
                    },
                ],
            },
            "delta_to_cumulative": {"max_stale": "720h"},
        },
        "connectors": {
            "forward": {},
            "count/lines": {
                "logs": {
                    UNPARSED: {
                        "description": "Lines kept though their parser could not read them.",
                        "conditions": [f"{s.attribute(s.PARSE_ERROR)} != nil and {s.attribute(s.REASON)} == nil"],
                        "attributes": _counted(config),
                    },
                    DROPPED: {
                        "description": "Lines that were not stored.",
                        "conditions": [f"{s.attribute(s.REASON)} != nil"],
                        "attributes": [*_counted(config), {"key": s.REASON}],
                    },
                }
            },
        },
        "exporters": {
            "otlp_http/loki": {
                **({"endpoint": ENDPOINT} if host is None else edge(config.settings.edge, "/otlp")),
                # In order, so by one: Loki rejects what is far behind the newest line of its stream.
                **sending(QUEUE, consumers=1, wait=True),
            },
            "prometheus/lines": {
                "endpoint": f"{ANY}:{LINES}",
                "metric_expiration": "720h",
                "translation_strategy": "UnderscoreEscapingWithoutSuffixes",
                "without_scope_info": True,
            },
        },
        "service": {
            "extensions": [
                *("health_check", "docker_observer", "file_storage/positions", STORAGE),
                *((CREDENTIAL,) if host else ()),
            ],
            "telemetry": {
                "logs": {"level": "warn", "encoding": "json"},
                "metrics": {
                    "readers": [{"pull": {"exporter": {"prometheus": {"host": ANY, "port": PORT}}}}],
                },
            },
            "pipelines": {
                "logs/read": {
                    "receivers": ["receiver_creator/containers", *others],
                    "processors": ["memory_limiter", "transform/stream", "transform/parse", "transform/redact"],
                    "exporters": ["forward", "count/lines"],
                },
                "logs/loki": {
                    "receivers": ["forward"],
                    "processors": ["filter/dropped", "groupbyattrs", "transform/labels"],
                    "exporters": ["otlp_http/loki"],
                },
                "metrics/lines": {
                    "receivers": ["count/lines"],
                    "processors": ["transform/counter", "delta_to_cumulative"],
                    "exporters": ["prometheus/lines"],
                },
            },
        },
    }


def _containers() -> dict[str, Any]:
    """One reader for each container: that of the endpoint without a port. There is one more for each exposed port.

    Text between backticks is evaluated for each container, so none may stand in an operator.
    """
    folder = f"{CONTAINERS}/`container_id`"
    found = {NAME: "/`name`", IMAGE: "`image`:`tag`", PROJECT: _docker_label(COMPOSE_PROJECT)}
    return {
        "watch_observers": ["docker_observer"],
        "receivers": {
            "file_log/container": {
                "rule": 'type == "container" && port == 0',
                "config": {
                    "include": [f"{folder}/`container_id`-json.log*"],
                    "start_at": "beginning",
                    "poll_interval": _POLL,
                    "storage": "file_storage/positions",
                    # One file after the other (half of this number at once), the oldest first, which is that with the
                    # highest number: Loki rejects lines an hour behind the newest of their stream.
                    "max_concurrent_files": 2,
                    "ordering_criteria": {
                        "regex": r"-json\.log(?P<rotation>.*)$",
                        "top_n": 0,
                        "sort_by": [{"regex_key": "rotation", "sort_type": "alphabetical", "ascending": False}],
                    },
                    "include_file_name": False,
                    "multiline": {"line_start_pattern": entries.DOCKER},
                    "force_flush_period": entries.AT_ONCE,
                    "max_log_size": entries.LONGEST,
                    # A rotated file may be compressed before it has been read to its end.
                    "compression": "auto",
                    # While memory or the queue is full, reading waits.
                    "retry_on_failure": {"enabled": True, "max_interval": BACKOFF_LIMIT, "max_elapsed_time": 0},
                    "operators": _operators(),
                },
                "resource_attributes": {**found, **{exposed(name): _docker_label(name) for name in LABELS}},
            }
        },
    }


def _host(config: StackConfig) -> list[str]:
    """The name of the host, in a stack of several: containers of two hosts may have one name."""
    if not config.settings.hosts:
        return []
    return [f'set(resource.attributes["{HOST}"], {s.text(config.settings.node_exporter.host_name)})']


def _counted(config: StackConfig) -> list[dict[str, str]]:
    """The labels of a counter of lines; those of files and syslog have no container."""
    names = (name for name in indexed(config) if name != "level")
    return [{"key": name, **({"default_value": ""} if name == s.CONTAINER else {})} for name in names]


def _docker_label(name: str) -> str:
    return f"`labels[{json.dumps(name)}]`"


def _operators() -> list[dict[str, Any]]:
    """From the entries of Docker's file to those of the program."""
    read = 'attributes["log.iostream"] != nil'
    ends = r'body endsWith "\n"'
    return [
        *entries.joining(),
        {"type": "container", "format": "docker", "add_metadata_from_filepath": False, "on_error": "send_quiet"},
        {
            "type": "recombine",
            "id": "pieces",
            "if": read,
            "is_last_entry": ends,
            "combine_field": "body",
            "combine_with": "",
            # A piece of one output may stand between those of the other.
            "source_identifier": 'attributes["log.iostream"]',
            "max_unmatched_batch_size": 0,
            "max_log_size": LONGEST,
            "force_flush_period": _UNFINISHED,
        },
        {"type": "add", "if": f"not ({ends}) and {read}", "field": f"attributes.{s.PARTIAL}", "value": "true"},
        {"type": "regex_replace", "field": "body", "regex": r"\r\n", "replace_with": "\n"},
        {"type": "regex_replace", "field": "body", "regex": r"\n+$", "replace_with": ""},
    ]


def _list(*names: str) -> str:
    return f"[{', '.join(map(s.text, dict.fromkeys(names)))}]"
