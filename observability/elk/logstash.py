"""Logstash: its settings and its pipeline.

Lines come by TCP, one JSON object each, and from the collector by OTLP over HTTP as JSON, which Logstash has no input
for: a request is divided into its records, and the body of a record is the whole line as a JSON object (`sending`).
"""

from collections.abc import Mapping
from typing import Final

from observability.core.render import to_yaml
from observability.elk import access, servers
from observability.elk.indices import COLLECTED, LOGS, OTHER
from observability.elk.servers import CA, CERTIFICATE, KEY
from observability.parts.elk import API, COLLECTOR_PASSWORD, LINES, LOGSTASH, OTLP
from observability.parts.model import SecretText
from observability.settings.load import StackConfig

DATA: Final = "/usr/share/logstash/data"
COLLECTOR_USER: Final = "collector"
PIPELINE: Final = "pipeline.conf"

_RECORD: Final = "[resourceLogs][scopeLogs][logRecords]"


def files(config: StackConfig) -> dict[str, str]:
    """The files without a secret."""
    here = f"{servers.folder(LOGSTASH)}/current"
    source = f"Pulumi.{config.stack}.yaml"
    document = {
        "node.name": f"{config.settings.cluster}-logstash",
        "path.data": DATA,
        "path.logs": "/tmp/logs",  # noqa: S108 - in memory, in the container
        "api.http.host": "0.0.0.0",  # noqa: S104 - in a container of its own, on the stack's network
        "api.http.port": API,
        "pipeline.ecs_compatibility": "v8",
        "queue.type": "persisted",
        "queue.max_bytes": f"{servers.settings_of(config).logstash.queue_mb}mb",
        # What Elasticsearch refuses, such as a text in a field of numbers, is kept aside and does not block the rest.
        "dead_letter_queue.enable": True,
        "dead_letter_queue.max_bytes": "256mb",
        "dead_letter_queue.storage_policy": "drop_older",
        "log.level": "warn",
    }
    pipelines = [{"pipeline.id": "lines", "path.config": f"{here}/{PIPELINE}"}]
    return {
        "logstash.yml": to_yaml(document, source=source),
        "pipelines.yml": to_yaml(pipelines, source=source),
        "log4j2.properties": _LOG4J,
        **servers.trusted(config)[0],
    }


def secret_files(config: StackConfig) -> dict[str, str]:
    """The files that are a secret each."""
    return {**servers.pair(LOGSTASH), **servers.trusted(config)[1]}


_LOG4J: Final = """\
# Everything goes to the container's output.
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%-25c] %m%n
rootLogger.level = ${sys:ls.log.level}
rootLogger.appenderRef.console.ref = console
"""


def pipeline(config: StackConfig) -> SecretText:
    """The pipeline, whose inputs and output have to hold their passwords."""
    user, secret = servers.login(config, "obs-logstash", "elkLogstashPassword")

    def text(values: Mapping[str, str]) -> str:
        password = access.quoted(secret, values[secret])
        collector = access.quoted(COLLECTOR_PASSWORD, values[COLLECTOR_PASSWORD])
        return f"{_inputs(config, collector)}\n{_filter(config)}\n{_output(config, user, password)}"

    return SecretText(names=(secret, COLLECTOR_PASSWORD), text=text)


def _certificate() -> str:
    here = f"{servers.folder(LOGSTASH)}/current"
    return f"""    ssl_enabled => true
    ssl_certificate => "{here}/{CERTIFICATE}"
    ssl_key => "{here}/{KEY}"
"""


def _inputs(config: StackConfig, password: str) -> str:
    settings = servers.settings_of(config)
    tls = f'{_certificate()}    ssl_client_authentication => "none"\n' if settings.logstash.tls else ""
    collected = f"""  http {{
    port => {OTLP}
    user => "{COLLECTOR_USER}"
    password => "{password}"
{_certificate()}    add_field => {{ "[@metadata][from]" => "collector" }}
  }}
"""
    return f"""input {{
  tcp {{
    port => {LINES}
    codec => json_lines
{tls}    add_field => {{ "[@metadata][from]" => "tcp" }}
  }}
{collected if settings.collector else ""}}}
"""


def _filter(config: StackConfig) -> str:
    settings = servers.settings_of(config)
    # A list of a single value is no list for Logstash.
    known = " or ".join(f'[type] == "{one}"' for one in settings.types)
    by_type = f"""if {known} {{
    mutate {{ replace => {{ "[@metadata][index]" => "{LOGS}" }} }}
  }} else {{
    mutate {{ replace => {{ "[@metadata][index]" => "{OTHER}" }} }}
  }}
"""
    # What the input says of the request is removed before the line is read, which may have fields of the same names.
    collected = f"""if [@metadata][from] == "collector" {{
    mutate {{
      remove_field => [ "http", "url", "host", "user_agent", "event" ]
      replace => {{ "[@metadata][index]" => "{COLLECTED}" }}
    }}
    split {{ field => "[resourceLogs]" }}
    split {{ field => "[resourceLogs][scopeLogs]" }}
    split {{ field => "{_RECORD}" }}
    json {{ source => "{_RECORD}[body][stringValue]" }}
    mutate {{ remove_field => [ "resourceLogs" ] }}
  }} else """
    return f"""filter {{
  {collected if settings.collector else ""}{by_type}}}
"""


def _output(config: StackConfig, user: str, password: str) -> str:
    authority = f'    ssl_certificate_authorities => [ "{servers.folder(LOGSTASH)}/current/{CA}" ]\n'
    plain, hidden = servers.trusted(config)
    return f"""output {{
  elasticsearch {{
    hosts => [ "{servers.address(config)}" ]
    user => "{user}"
    password => "{password}"
{authority if {**plain, **hidden} else ""}    index => "%{{[@metadata][index]}}-%{{+YYYY.MM.dd}}"
    action => "create"
    data_stream => false
    ilm_enabled => false
    manage_template => false
  }}
}}
"""
