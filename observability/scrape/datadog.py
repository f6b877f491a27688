"""The configuration of the Datadog agent: the systems' own targets, with the system's tags, and its other inputs.

The agent runs with a folder of its own instead of `/etc/datadog-agent`, so none of the checks that its image enables
by itself runs. Secrets are files, to which `ENC[name]` refers (the agent's secret backend `file.text`).
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from observability.core.documents import load_yaml
from observability.core.naming import COMPOSE_PROJECT, LABEL_SYSTEM
from observability.core.render import to_yaml
from observability.logs.sources import LABEL_TEAM
from observability.parts import docker_proxy
from observability.parts.datadog import NAME, SECRET, TRACES, DatadogAgentSettings
from observability.scrape import systems
from observability.scrape.job import Job
from observability.settings.load import StackConfig

FOLDER: Final = "/etc/obs-datadog"
CURRENT: Final = f"{FOLDER}/current"
DATA: Final = "/opt/datadog-agent/run"
"""Folder of the data volume: positions in logs, and the token with which the agent's processes know each other."""

CHECK: Final = "conf.d/openmetrics.d/conf.yaml"
SCRIPT: Final = "run.sh"
API_KEY: Final = "datadog_api_key"
_SECRETS: Final = "secrets"

ENVIRONMENT: Final[Mapping[str, str]] = {"DOCKER_HOST": docker_proxy.ADDRESS}
"""Variables of the container; there is no secret among them."""


def files(config: StackConfig) -> dict[str, str]:
    """The agent's folder: path within it → text."""
    source = f"Pulumi.{config.stack}.yaml"
    own = config.settings.part(NAME)
    return {
        "datadog.yaml": to_yaml(document(config), source=source),
        CHECK: to_yaml({"init_config": {}, "instances": list(instances(config))}, source=source),
        SCRIPT: _script(own),
        **systems.files(config),
    }


def secret_files(config: StackConfig) -> dict[str, str]:
    """The secrets: path within the folder → name of the secret."""
    return {f"{_SECRETS}/{API_KEY}": SECRET, **systems.secret_files(config)}


def document(config: StackConfig) -> dict[str, Any]:
    """The main configuration file, datadog.yaml."""
    settings = config.settings
    own: DatadogAgentSettings = settings.part(NAME)
    return {
        "api_key": f"ENC[{API_KEY}]",
        "site": own.site,
        "secret_backend_type": "file.text",
        "secret_backend_config": {"secrets_path": f"{CURRENT}/{_SECRETS}"},
        "hostname": settings.node_exporter.host_name,
        "env": settings.environment,
        "tags": [f"environment:{settings.environment}", f"cluster:{settings.cluster}", *own.tags],
        "confd_path": f"{CURRENT}/conf.d",
        "run_path": DATA,
        "auth_token_file_path": f"{DATA}/auth_token",
        "log_level": "warn",
        "log_to_console": True,
        "disable_file_logging": True,
        "GUI_port": -1,
        "use_dogstatsd": False,
        "cloud_provider_metadata": [],
        "remote_configuration": {"enabled": False},
        "container_image": {"enabled": False},
        "process_config": {
            "process_collection": {"enabled": False},
            "container_collection": {"enabled": False},
        },
        "container_labels_as_tags": {
            LABEL_SYSTEM: "system",
            LABEL_TEAM: "team",
            COMPOSE_PROJECT: "compose_project",
        },
        "logs_enabled": own.logs,
        # From Docker's files alone: the proxy before the socket does not pass on the API's logs.
        "logs_config": {
            "container_collect_all": own.logs,
            "docker_container_use_file": True,
            "docker_container_force_use_file": True,
        },
        "apm_config": {"enabled": own.apm, "apm_non_local_traffic": True, "receiver_port": TRACES},
    }


def instances(config: StackConfig) -> Iterator[dict[str, Any]]:
    """An instance of the check `openmetrics` for each target of a system that is known here; DNS is not asked."""
    own: DatadogAgentSettings = config.settings.part(NAME)
    for job in systems.system_jobs(config):
        system = str(job.job_name).removeprefix(f"{job.name}-")
        manner = _manner(job, config.system_settings(system).basic_auth_user is not None)
        for address in _addresses(config, job):
            yield {
                "openmetrics_endpoint": f"{job.extra.get('scheme', 'http')}://{address}{job.path}",
                # The prefix of the names of metrics.
                "namespace": system.replace("-", "_"),
                "metrics": list(own.metrics),
                "tags": [f"system:{system}", f"team:{config.teams[system]}", f"job:{job.name}", f"instance:{address}"],
                **manner,
            }


def _addresses(config: StackConfig, job: Job) -> Iterator[str]:
    yield from (target.address for target in job.targets)
    for discovery in job.extra.get("file_sd_configs", ()):
        for path in discovery["files"]:
            text = config.files[str(path).removeprefix(f"{systems.FILES}/")]
            # JSON is YAML, and some editors leave tabs in it, which only JSON allows.
            listed = json.loads(text) if str(path).endswith(".json") else load_yaml(text)
            yield from (str(address) for group in listed or () for address in group["targets"])


def _manner(job: Job, basic: bool) -> dict[str, Any]:
    """Credentials and TLS, as Prometheus' job has them, in the agent's words."""
    found: dict[str, Any] = {}
    if "authorization" in job.extra:
        found["auth_token"] = {
            "reader": {"type": "file", "path": f"{CURRENT}/{job.extra['authorization']['credentials_file']}"},
            "writer": {"type": "header", "name": "Authorization", "value": "Bearer <TOKEN>"},
        }
    if basic:
        auth = job.extra["basic_auth"]
        found["username"] = auth["username"]
        found["password"] = f"ENC[{auth['password_file'].removeprefix(f'{_SECRETS}/')}]"
    tls = job.extra.get("tls_config", {})
    names = {"ca_file": "tls_ca_cert", "cert_file": "tls_cert", "key_file": "tls_private_key"}
    found |= {name: f"{CURRENT}/{tls[key]}" for key, name in names.items() if key in tls}
    if "server_name" in tls:
        found["tls_use_host_header"] = True
        found["headers"] = {"Host": tls["server_name"]}
    return found


def _script(own: DatadogAgentSettings) -> str:
    """Both programs in one container, as in the image; where one of them ends, the container is started anew."""
    traces = f"trace-agent --config={CURRENT}/datadog.yaml &\n" if own.apm else ""
    return f"trap 'kill $(jobs -p)' TERM INT\nagent run -c {CURRENT} &\n{traces}wait -n\nexit 1\n"
