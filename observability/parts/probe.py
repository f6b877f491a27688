"""A probe: one address that is requested from outside, how, and what the response must be."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from observability.core.types import Duration, RepositoryFile, ServiceName, seconds
from observability.parts.model import Server

SECRETS: Final = "secrets"
"""Folder of the probes' secrets within the exporter's configuration."""

LONGEST: Final = 3600.0
"""Longest interval, seconds."""

LOOKBACK: Final = 120.0
"""Longest interval, seconds, with which a value is present between two probes: Prometheus looks back for 5 minutes."""

LONGEST_TIMEOUT: Final = 60.0

SCHEMES: Final = ("http", "https", "tcp", "tls", "dns", "icmp", "grpc", "grpcs")

RESERVED: Final = frozenset(
    {
        *("authorization", "host", "content-encoding", "content-length", "content-type", "user-agent", "connection"),
        *("keep-alive", "proxy-authenticate", "proxy-authorization", "www-authenticate", "accept-encoding"),
    }
)
"""Headers that the exporter does not take from a file."""

SERIES: Final = (
    *("probe_success", "probe_failed_due_to_regex", "probe_failed_due_to_cel", "probe_duration_seconds"),
    *("probe_http_status_code", "probe_ssl_last_chain_expiry_timestamp_seconds", "probe_ssl_earliest_cert_expiry"),
)
"""Series of a probe that alerts and dashboards read; those of slow probes are recorded as well."""

Status = Annotated[int, Field(ge=100, le=599)]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")]
RecordType = Literal["A", "AAAA", "CAA", "CNAME", "MX", "NS", "SOA", "SRV", "TXT"]


def _url(value: str) -> str:
    """The address unchanged; ValueError where it has not the form of its scheme."""
    parts = urlsplit(value)
    if parts.scheme not in SCHEMES or not parts.hostname or re.search(r"[\s@]", value):
        raise ValueError(f"is not an address of the form {', '.join(f'{one}://…' for one in SCHEMES)}")
    try:
        port = parts.port
    except ValueError:
        raise ValueError("has a port that is not a number up to 65535") from None
    if parts.scheme in ("tcp", "tls", "grpc", "grpcs") and port is None:
        raise ValueError(f"has no port; write it like {parts.scheme}://{parts.hostname}:443")
    if parts.scheme == "icmp" and (port is not None or parts.path.strip("/")):
        raise ValueError("is more than a host; write it like icmp://10.0.0.1")
    if parts.scheme == "dns" and not parts.path.strip("/"):
        raise ValueError("names nothing to look up; write it like dns://9.9.9.9/shop.example.com")
    if parts.scheme in ("tcp", "tls") and parts.path.strip("/"):
        raise ValueError(f"has a path, which {parts.scheme} does not; write host and port only")
    return value


def last(series: str) -> str:
    """Name of the series with the last value of probes that are slower than LOOKBACK."""
    return f"instance_probe:{series}:last"


def present(series: str, matchers: str) -> str:
    """PromQL of a series of SERIES at any time between two probes."""
    return f"({last(series)}{{{matchers}}} or {series}{{{matchers}}})"


class Probe(Server):
    """One address that is probed from outside."""

    name: ServiceName = Field(description="Name of the probe, in the label `probe`.")
    url: Annotated[str, AfterValidator(_url)] = Field(
        description="http://…, https://…; tcp://host:port, tls://host:port; dns://server[:port]/name; icmp://host; "
        "grpc://host:port[/service], grpcs://… for gRPC's health check."
    )
    interval: Duration = Field(
        "30s", description="How often it is probed; 5s to 1h. Above 2m one failed probe is an alert."
    )
    timeout: Duration = Field("5s", description="How long it may take; at most 1m, and no longer than the interval.")
    keyword: str | None = Field(
        None, description="Text that the page, or the answer of DNS, must hold, taken literally.", min_length=1
    )
    json_values: dict[str, str | bool | int | float | None] = Field(
        {},
        alias="json",
        description="Values that the page, as JSON, must have, by path: keys with dots between, numbers for lists.",
        examples=[{"status": "ok", "checks.0.ready": True}],
    )
    status: tuple[Status, ...] = Field((), description="Status codes that are right; none: 200 to 299.")
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] = Field(
        "GET", description="Method of the request."
    )
    body: str | None = Field(None, description="Body of the request.")
    headers: dict[HeaderName, str] = Field({}, description="Headers of the request; a secret one is `secretHeader`.")
    bearer_token: bool = Field(
        False, description="Whether the secret <system>Probes<Name>Password is sent as a bearer token."
    )
    basic_auth_user: str | None = Field(
        None,
        description="User of basic authentication; the password is the secret <system>Probes<Name>Password.",
        min_length=1,
    )
    secret_header: HeaderName | None = Field(
        None,
        description="Name of a header whose value is the secret <system>Probes<Name>Password.",
        examples=["X-Api-Key"],
    )
    follow_redirects: bool = Field(True, description="Whether the page that a redirect names is the one that counts.")
    ca: RepositoryFile | None = Field(
        None, description="Certificate of the authority that signed its certificate, PEM; none: the public ones."
    )
    server_name: str | None = Field(None, description="Name in its certificate, where that is not its address.")
    verify_certificate: bool = Field(True, description="Whether an invalid certificate is a failure.")
    record: RecordType = Field("A", description="Type of the record that DNS is asked for.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        every, most = seconds(self.interval), seconds(self.timeout)
        if not 5 <= every <= LONGEST:
            raise ValueError("interval must be between 5s and 1h")
        if most > min(LONGEST_TIMEOUT, every):
            raise ValueError("timeout must be at most 1m, and no longer than interval")
        for names, schemes in _ONLY.items():
            for name in names:
                if getattr(self, name) != type(self).model_fields[name].get_default() and self.scheme not in schemes:
                    said = " or ".join(f"{one}://" for one in schemes)
                    raise ValueError(f"{type(self).model_fields[name].alias} is for {said} only; remove it")
        if sum(map(bool, (self.bearer_token, self.basic_auth_user, self.secret_header))) > 1:
            raise ValueError("has several of bearerToken, basicAuthUser and secretHeader; keep one")
        if self.secret_header and self.secret_header.lower() in RESERVED:
            raise ValueError(
                f"secretHeader cannot be {self.secret_header}; for Authorization write bearerToken or basicAuthUser"
            )
        for header in self.headers:
            if header.lower() in ("authorization", "proxy-authorization", "cookie"):
                raise ValueError(f"headers holds the secret {header}; use bearerToken, basicAuthUser or secretHeader")
        return self

    @property
    def scheme(self) -> str:
        """The scheme of its address."""
        return urlsplit(self.url).scheme

    @property
    def instance(self) -> str:
        """The address."""
        return self.url

    @property
    def every(self) -> float:
        """Seconds between two probes."""
        return seconds(self.interval)

    @property
    def needs_password(self) -> bool:
        """Whether it sends a secret."""
        return bool(self.bearer_token or self.basic_auth_user or self.secret_header)

    @property
    def target(self) -> str:
        """The address as the exporter takes it: without the scheme, where that is not one of HTTP."""
        parts = urlsplit(self.url)
        if parts.scheme in ("http", "https"):
            return self.url
        return parts.hostname or "" if parts.scheme == "icmp" else parts.netloc


class HealthProbe(Probe):
    """A system's health page, named by its system and path; made from the system's file, never written in settings.

    `discovered`: its instances are found at run time; `url` is then the scheme and the path alone. `ca` is the
    certificate itself.
    """

    name: str
    url: str
    ca: str | None = None
    server_name: str | None = None
    discovered: bool = False


_HTTP: Final = ("http", "https")
_ONLY: Final[Mapping[tuple[str, ...], tuple[str, ...]]] = {
    (
        *("json_values", "status", "method", "body", "headers", "bearer_token", "basic_auth_user", "secret_header"),
        "follow_redirects",
    ): _HTTP,
    ("keyword",): (*_HTTP, "dns"),
    ("record",): ("dns",),
    ("ca", "server_name", "verify_certificate"): ("https", "tls", "grpcs"),
}
"""Settings that only some schemes have."""

_NAMES: Final = {"http": "http_2xx", "https": "http_2xx", "tcp": "tcp_connect", "icmp": "icmp"}
"""Modules that probes share where they state nothing of their own."""


def module_name(probe: Probe) -> str:
    """Name of the exporter's module for a probe."""
    plain = type(probe).model_validate({"name": probe.name, "url": probe.url})
    if probe.scheme in _NAMES and module(probe) == module(plain):
        return _NAMES[probe.scheme]
    if probe.scheme not in _HTTP:
        return f"{probe.scheme}_{probe.name}"
    if _tls(probe):
        return f"http_tls_{probe.name}"
    return f"http_keyword_{probe.name}" if probe.keyword else f"http_{probe.name}"


def module(probe: Probe, secret: str | None = None) -> dict[str, Any]:
    """The exporter's module for a probe; `secret` is the path of the file with its secret."""
    prober, make = _MAKERS[probe.scheme]
    own = {**make(probe), **(_credentials(probe, secret) if probe.needs_password else {})}
    return {"prober": prober, "timeout": probe.timeout, prober: {**_IP, **own}}


_IP: Final = {"preferred_ip_protocol": "ip4", "ip_protocol_fallback": True}


def _http(probe: Probe) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if probe.keyword:
        found["fail_if_body_not_matches_regexp"] = [re.escape(probe.keyword)]
    if probe.json_values:
        found["fail_if_body_json_not_matches_cel"] = " && ".join(
            f"{_path(path)} == {_literal(value)}" for path, value in probe.json_values.items()
        )
    if probe.status:
        found["valid_status_codes"] = list(probe.status)
    if probe.method != "GET":
        found["method"] = probe.method
    if probe.body is not None:
        found["body"] = probe.body
    if probe.headers:
        found["headers"] = dict(probe.headers)
    if not probe.follow_redirects:
        found["follow_redirects"] = False
    return {**found, **({"tls_config": _tls(probe)} if _tls(probe) else {})}


def _credentials(probe: Probe, secret: str | None) -> dict[str, Any]:
    path = secret or ""
    if probe.bearer_token:
        return {"authorization": {"type": "Bearer", "credentials_file": path}}
    if probe.basic_auth_user:
        return {"basic_auth": {"username": probe.basic_auth_user, "password_file": path}}
    return {"http_headers": {probe.secret_header: {"files": [path]}}}


def _tcp(probe: Probe) -> dict[str, Any]:
    return {"tls": True, **({"tls_config": _tls(probe)} if _tls(probe) else {})} if probe.scheme == "tls" else {}


def _grpc(probe: Probe) -> dict[str, Any]:
    service = urlsplit(probe.url).path.strip("/")
    found: dict[str, Any] = {"service": service} if service else {}
    if probe.scheme == "grpcs":
        found |= {"tls": True, **({"tls_config": _tls(probe)} if _tls(probe) else {})}
    return found


def _dns(probe: Probe) -> dict[str, Any]:
    # An answer without records is no error of DNS, but nothing that a client can use.
    wanted = re.escape(probe.keyword) if probe.keyword else "."
    return {
        "query_name": urlsplit(probe.url).path.strip("/"),
        "query_type": probe.record,
        "validate_answer_rrs": {"fail_if_none_matches_regexp": [wanted]},
    }


def _tls(probe: Probe) -> dict[str, Any]:
    """TLS settings other than the usual; certificates are not secret, so they are in the file itself."""
    wanted = {"ca": probe.ca, "server_name": probe.server_name, "insecure_skip_verify": not probe.verify_certificate}
    return {key: value for key, value in wanted.items() if value}


def _path(path: str) -> str:
    """A path in a JSON document as an expression of CEL."""
    return "body" + "".join(f"[{key}]" if key.isdecimal() else f"[{_literal(key)}]" for key in path.split("."))


def _literal(value: str | bool | int | float | None) -> str:
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    # A number of JSON is a floating point number for the exporter.
    return repr(float(value)) if isinstance(value, int | float) else json.dumps(value, ensure_ascii=False)


_MAKERS: Final[Mapping[str, tuple[str, Callable[[Probe], dict[str, Any]]]]] = {
    **dict.fromkeys(("http", "https"), ("http", _http)),
    **dict.fromkeys(("tcp", "tls"), ("tcp", _tcp)),
    **dict.fromkeys(("grpc", "grpcs"), ("grpc", _grpc)),
    "dns": ("dns", _dns),
    "icmp": ("icmp", lambda _: {}),
}
"""The exporter's prober for each scheme, and what makes its settings."""
