"""The indices: one a day for each kind of lines, how their fields are stored, and when they are deleted."""

import json
from typing import Any, Final

from observability.core.types import seconds
from observability.logs.loki import RETENTION
from observability.settings.load import StackConfig

LOGS: Final = "logs"
OTHER: Final = "other"
COLLECTED: Final = "lines"
"""What the name of an index begins with: lines of the types in the settings, of other types, and of the collector."""

PATTERNS: Final = (f"{LOGS}-*", f"{OTHER}-*", f"{COLLECTED}-*")
"""The indices, in the settings of users and of Grafana."""

NAME: Final = "obs-lines"
"""Name of the policy and of the template."""

_DAY: Final = 86_400
_PRIORITY: Final = 150
"""Above that of Elasticsearch's own template for the data streams `logs-*-*`, which is 100."""


def days(config: StackConfig) -> int:
    """How many days lines are kept."""
    settings = config.settings.elk
    stated = settings.retention if settings is not None else None
    return int(seconds(stated or RETENTION[config.settings.environment]) // _DAY)


def policy(config: StackConfig) -> dict[str, Any]:
    """The lifecycle: hot, and deleted so long after the index was made."""
    return {
        "policy": {
            "_meta": {"managed_by": f"stack {config.stack}"},
            "phases": {
                "hot": {"min_age": "0ms", "actions": {"set_priority": {"priority": 100}}},
                # An index is made on the day of its lines, and its last lines are a day younger.
                "delete": {"min_age": f"{days(config) + 1}d", "actions": {"delete": {}}},
            },
        }
    }


def template(config: StackConfig) -> dict[str, Any]:
    """How lines are stored: texts are exact values but for the message; fields beyond the limit are not indexed."""
    external = config.settings.elk.external if config.settings.elk is not None else None
    return {
        # Names with a date: data streams of Elastic's own agents begin with logs- as well.
        "index_patterns": [f"{pattern}.*.*" for pattern in PATTERNS],
        "priority": _PRIORITY,
        "_meta": {"managed_by": f"stack {config.stack}"},
        "template": {
            "settings": {
                "index.lifecycle.name": NAME,
                "index.number_of_shards": 1,
                "index.number_of_replicas": external.replicas if external is not None else 0,
                "index.refresh_interval": "5s",
                "index.codec": "best_compression",
                "index.mapping.total_fields.limit": 1000,
                "index.mapping.total_fields.ignore_dynamic_beyond_limit": True,
            },
            "mappings": {
                "dynamic_templates": [
                    {
                        "texts": {
                            "match_mapping_type": "string",
                            "mapping": {"type": "keyword", "ignore_above": 1024},
                        }
                    }
                ],
                # A text that looks like a date would make an error of every other text in that field.
                "date_detection": False,
                "properties": {"@timestamp": {"type": "date"}, "message": {"type": "text"}},
            },
        },
    }


def requests(config: StackConfig) -> str:
    """What the setup sends to Elasticsearch, as JSON: paths and documents, in order."""
    wanted = [
        {"path": f"/_ilm/policy/{NAME}", "document": policy(config)},
        {"path": f"/_index_template/{NAME}", "document": template(config)},
    ]
    return json.dumps(wanted, indent=2) + "\n"
