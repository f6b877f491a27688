"""The monitors of UptimeRobot that the endpoints of a stack become, and the endpoints that cannot become one."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from observability.core.types import seconds
from observability.parts.probe import HealthProbe, Probe
from observability.settings.load import StackConfig
from observability.settings.uptime_robot import SECRET

BLACKBOX: Final = "blackbox-exporter"

HTTP, KEYWORD, PING, PORT = 1, 2, 3, 4
"""The service's types of monitors."""

CUSTOM_PORT: Final = 99
NOT_EXISTS: Final = 2
CASE_SENSITIVE: Final = 0
METHODS: Final = {"HEAD": 1, "GET": 2}
"""Methods of a request that changes nothing, by the service's numbers."""

INTERNAL: Final = frozenset(
    {"local", "localdomain", "localhost", "internal", "intranet", "lan", "home", "corp", "arpa"}
)
"""Last parts of names that no public DNS has."""


@dataclass(frozen=True, kw_only=True)
class Monitor:
    """A monitor as it is declared: its fields by the API's names, as text. `type` cannot be changed later."""

    name: str
    type: int
    fields: Mapping[str, str] = field(default_factory=dict)


def active(config: StackConfig) -> bool:
    """Whether the stack has monitors: the key is stored, and the settings do not disable it."""
    return SECRET in config.secrets and config.settings.uptime_robot.enabled is not False


def prefix(config: StackConfig) -> str:
    """The beginning of the names of this stack's monitors; no other is ever changed."""
    return f"obs {config.settings.cluster}: "


def monitors(config: StackConfig) -> tuple[Monitor, ...]:
    """The declared monitors, by name; none where it is not active."""
    if not active(config):
        return ()
    found = (_monitor(config, probe) for probe in _probes(config) if not problems(config, probe))
    return tuple(sorted(found, key=lambda one: one.name))


def unwatched(config: StackConfig) -> tuple[tuple[str, str], ...]:
    """The endpoints that cannot become a monitor, by name, with the reasons; none where it is not active."""
    if not active(config):
        return ()
    found = [(str(one.name), "; ".join(said)) for one in _probes(config) if (said := problems(config, one))]
    pages = dict.fromkeys(one.server.name for one in config.servers(BLACKBOX) if isinstance(one.server, HealthProbe))
    found += ((page, "a health page of each instance; add its public address to probes") for page in pages)
    return tuple(found)


def _probes(config: StackConfig) -> list[Probe]:
    servers = [placed.server for placed in config.servers(BLACKBOX)]
    return [one for one in servers if isinstance(one, Probe) and not isinstance(one, HealthProbe)]


def problems(config: StackConfig, probe: Probe) -> list[str]:
    """Why an endpoint cannot become a monitor."""
    return [*_of_address(config, probe), *_of_request(probe)]


def _of_address(config: StackConfig, probe: Probe) -> Iterator[str]:
    host = urlsplit(probe.url).hostname or ""
    if probe.scheme not in ("http", "https", "tcp", "icmp"):
        yield f"{probe.scheme}:// is not known there"
    try:
        internal = not ip_address(host).is_global
    except ValueError:
        internal = "." not in host or host.rpartition(".")[2] in INTERNAL or host in config.settings.network.hosts
    if internal:
        yield f"{host} is an internal address"


def _of_request(probe: Probe) -> Iterator[str]:
    if probe.method not in METHODS:
        yield f"method {probe.method}"
    if probe.keyword and probe.method == "HEAD":
        yield "keyword with the method HEAD, whose answer has no text"
    if probe.body is not None:
        yield "body"
    if probe.json_values:
        yield "json; a keyword can take its place"
    if probe.status:
        yield "status: any from 200 to 399 is accepted there"
    if not probe.follow_redirects:
        yield "followRedirects: false"
    if probe.needs_password:
        yield "a secret, which is not given to the service"
    if probe.ca or probe.server_name:
        yield "a certificate of a private authority or of another name"
    if probe.keyword and len(probe.keyword) > KEYWORD_LENGTH:
        yield f"keyword of more than {KEYWORD_LENGTH} characters"


KEYWORD_LENGTH: Final = 500


def _monitor(config: StackConfig, probe: Probe) -> Monitor:
    settings = config.settings.uptime_robot
    url = urlsplit(probe.url)
    # An endpoint that is probed more rarely than the service does is not requested more often by it.
    every = max(seconds(settings.interval), probe.every)
    found = {"interval": f"{every:.0f}"}
    if settings.alert_contacts:
        found["alert_contacts"] = "-".join(f"{one}_0_0" for one in settings.alert_contacts)
    if probe.scheme == "icmp":
        return Monitor(name=prefix(config) + str(probe.name), type=PING, fields={**found, "url": url.hostname or ""})
    found["timeout"] = f"{seconds(settings.timeout):.0f}"
    if probe.scheme == "tcp":
        found |= {"url": url.hostname or "", "sub_type": str(CUSTOM_PORT), "port": str(url.port)}
        return Monitor(name=prefix(config) + str(probe.name), type=PORT, fields=found)
    found |= {"url": probe.url, "ignore_ssl_errors": "0" if probe.verify_certificate else "1"}
    found["custom_http_headers"] = json.dumps(dict(sorted(probe.headers.items())))
    if not probe.keyword:
        found["http_method"] = str(METHODS[probe.method])
        return Monitor(name=prefix(config) + str(probe.name), type=HTTP, fields=found)
    found |= {
        "keyword_type": str(NOT_EXISTS),
        "keyword_case_type": str(CASE_SENSITIVE),
        "keyword_value": probe.keyword,
    }
    return Monitor(name=prefix(config) + str(probe.name), type=KEYWORD, fields=found)
