"""Settings of remote write: where the stack's Prometheus sends samples besides its own storage."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, Field, model_validator

from observability.core.errors import ConfigError
from observability.core.expressions import ExpressionError, compiled
from observability.core.secret import SecretSpec, secret_name
from observability.core.section import Section
from observability.core.types import Duration, RepositoryFile, ServiceName, seconds

RESERVED: Final = frozenset(
    {
        *("authorization", "host", "content-encoding", "content-length", "content-type", "user-agent", "connection"),
        *("keep-alive", "proxy-authenticate", "proxy-authorization", "www-authenticate", "accept-encoding"),
        *("x-prometheus-remote-write-version", "x-prometheus-remote-read-version"),
        *("x-prometheus-scrape-timeout-seconds", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"),
    }
)
"""Headers that Prometheus sets itself, in lower case; it refuses a configuration with one of them."""

_SECRET_PARAMETER: Final = re.compile(r"key|token|secret|passw|licen[sc]e|sig", re.IGNORECASE)
"""Names of parameters of an address that contain a credential."""

_OWN: Final = frozenset({"prometheus", "edge"})
"""Services of the stack that store samples in this very Prometheus."""


def _url(value: str) -> str:
    try:
        url = urlsplit(value)
        host = url.hostname or ""
        _ = url.port
    except ValueError:
        raise ValueError("is no address; write it like https://metrics.example.com/api/v1/push") from None
    if url.scheme not in ("http", "https") or not host or re.search(r"\s", value):
        raise ValueError("is no address; write it like https://metrics.example.com/api/v1/push")
    if url.username is not None or url.password is not None:
        raise ValueError("has a user in it, which would be readable; use basicAuthUser and its secret")
    for name, _ in parse_qsl(url.query, keep_blank_values=True):
        if _SECRET_PARAMETER.search(name):
            raise ValueError(f"has the parameter {name}, which would be readable; use bearerToken or secretHeaders")
    if url.fragment:
        raise ValueError("has a part after #, which is never sent; remove it")
    if host == "localhost" or host.startswith("127.") or host == "::1":
        raise ValueError("is the container itself where Prometheus uses it; write an address that others can reach")
    if host in _OWN:
        raise ValueError(
            "is this stack itself, which would receive its own samples again; write the address of another"
        )
    return value


def _pattern(value: str) -> str:
    try:
        compiled(value)
    except ExpressionError as error:
        raise ValueError(f"is no expression of RE2: {error}") from None
    return value


Pattern = Annotated[str, AfterValidator(_pattern), Field(min_length=1)]
"""A regular expression (RE2), matched against the whole value."""

LabelName = Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")]
"""Name of a label."""

HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*$", max_length=64)]
"""Name of an HTTP header."""


class SeriesSelection(Section):
    """Series by name and labels; all that is stated must match."""

    metrics: tuple[Pattern, ...] = Field((), description="Expressions of which one matches the whole name.")
    labels: dict[LabelName, Pattern] = Field(
        {},
        description="Expression that matches the whole value, by label; also of the external labels `cluster` and "
        "`environment`. A label that a series lacks is the empty value.",
    )

    @model_validator(mode="after")
    def _selects(self) -> Self:
        if not self.metrics and not self.labels:
            raise ValueError("selects nothing by name; add metrics or labels")
        return self


class RemoteWriteTls(Section):
    """TLS beyond what the scheme https says. Certificates are files of this repository, the key is a secret."""

    ca: RepositoryFile | None = Field(None, description="Certificate of the receiver's authority, PEM.")
    certificate: RepositoryFile | None = Field(
        None, description="Certificate of Prometheus as a client, PEM; its key is the secret <name>RemoteWriteKey."
    )
    server_name: str | None = Field(None, description="Name in the certificate, where that is not its address.")


class RemoteWriteQueue(Section):
    """How samples wait and are sent. A shard is one connection with a queue of its own."""

    capacity: int = Field(10_000, description="Samples that wait in one shard.", ge=100, le=1_000_000)
    min_shards: int = Field(1, description="Shards at the start.", ge=1, le=1000)
    max_shards: int = Field(
        10, description="Most shards; each takes about 1 MiB of memory with the default capacity.", ge=1, le=1000
    )
    max_samples_per_send: int = Field(2000, description="Samples in one request.", ge=1, le=100_000)
    batch_send_deadline: Duration = Field("5s", description="How long a sample waits for a full request.")
    min_backoff: Duration = Field("1s", description="Wait before the first repetition after 5xx, 429 or no answer.")
    max_backoff: Duration = Field("30s", description="Longest wait between repetitions.")
    retry_on_rate_limit: bool = Field(
        True, description="Whether a request that was answered with 429 is sent again; else its samples are lost."
    )
    sample_age_limit: Duration | None = Field(
        None, description="Samples that are older are not sent; none: all that wait are sent."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min_shards > self.max_shards:
            raise ValueError(f"has minShards {self.min_shards} above maxShards {self.max_shards}; lower minShards")
        if seconds(self.min_backoff) > seconds(self.max_backoff):
            raise ValueError(
                f"has minBackoff {self.min_backoff} above maxBackoff {self.max_backoff}; lower minBackoff"
            )
        if self.capacity < self.max_samples_per_send:
            raise ValueError(
                f"has capacity {self.capacity} below maxSamplesPerSend {self.max_samples_per_send}, so no request is "
                "ever full; raise capacity"
            )
        return self


class RemoteWriteSettings(Section):
    """One receiver of the samples of this stack, by Prometheus' remote write."""

    name: ServiceName = Field(description="Name of the receiver, in `remote_name` of its series and in its secrets.")
    url: Annotated[str, AfterValidator(_url)] = Field(
        description="Address of the receiver.", examples=["https://metrics.example.com/api/v1/push"]
    )
    basic_auth_user: str | None = Field(
        None,
        description="User of basic authentication; the password is the secret <name>RemoteWritePassword.",
        min_length=1,
    )
    bearer_token: bool = Field(False, description="Whether it wants the secret <name>RemoteWriteToken.")
    headers: dict[HeaderName, str] = Field({}, description="Headers of every request. No secrets here.")
    secret_headers: tuple[HeaderName, ...] = Field(
        (), description="Headers whose values are the secrets <name>RemoteWriteHeader<Header>."
    )
    tls: RemoteWriteTls | None = Field(None, description="TLS beyond what the scheme https says.")
    keep: tuple[SeriesSelection, ...] = Field(
        (), description="Only series that one of these selects are sent; none: all."
    )
    drop: tuple[SeriesSelection, ...] = Field((), description="Series that one of these selects are not sent.")
    send_exemplars: bool = Field(False, description="Whether exemplars are stored and sent.")
    send_native_histograms: bool = Field(False, description="Whether native histograms are sent.")
    protocol: Literal["v1", "v2"] = Field(
        "v1",
        description="Message of remote write: v1 (prometheus.WriteRequest) or v2 (io.prometheus.write.v2.Request).",
    )
    timeout: Duration = Field("30s", description="How long a request may take.")
    queue: RemoteWriteQueue = Field(default_factory=RemoteWriteQueue, description="How samples wait and are sent.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.bearer_token and self.basic_auth_user:
            raise ValueError("has bearerToken and basicAuthUser; a request carries one of them, remove the other")
        if self.tls is not None and self.url.startswith("http:"):
            raise ValueError("has tls and an address with http; write https in url, or remove tls")
        names = [*self.headers, *self.secret_headers]
        seen = set[str]()
        for header in names:
            key = header.lower()
            if key == "authorization":
                raise ValueError(f"has the header {header}; use bearerToken or basicAuthUser, and remove it")
            if key in RESERVED:
                raise ValueError(f"has the header {header}, which Prometheus sets itself; remove it")
            if key in seen:
                raise ValueError(f"has the header {header} twice; remove one of them")
            seen.add(key)
        return self

    @property
    def secrets(self) -> tuple[tuple[str, str, str], ...]:
        """The setting, the file and the name of every secret that it needs."""
        found = []
        if self.bearer_token:
            found.append(("bearerToken", "token", secret(self.name, "Token")))
        if self.basic_auth_user:
            found.append(("basicAuthUser", "password", secret(self.name, "Password")))
        if self.tls is not None and self.tls.certificate:
            found.append(("tls.certificate", "key.pem", secret(self.name, "Key")))
        for index, header in enumerate(self.secret_headers):
            found.append((f"secretHeaders[{index}]", f"header-{header.lower()}", header_secret(self.name, header)))
        return tuple(found)


def secret(name: str, kind: str) -> str:
    """Name of a secret of a receiver: longTermRemoteWriteToken for the receiver long-term."""
    return secret_name(name, "Remote", "Write", kind)


def header_secret(name: str, header: str) -> str:
    """Name of the secret with the value of a header: longTermRemoteWriteHeaderApiKey."""
    return secret(name, f"header-{header.lower()}")


_KINDS: Final = {
    "Token": "Bearer token for remote write to {}.",
    "Password": "Password for remote write to {}.",
    "Key": "Private key, PEM, of the certificate for remote write to {}.",
}


def secrets(listed: object) -> Iterator[tuple[str, SecretSpec]]:
    """Every secret that receivers may have, by the content of the section, validated or not."""
    for one in listed if isinstance(listed, list) else ():
        name: Any = one.get("name") if isinstance(one, Mapping) else None
        if not isinstance(name, str):
            continue
        for kind, text in _KINDS.items():
            yield secret(name, kind), SecretSpec(description=text.format(name))
        headers = one.get("secretHeaders")
        for header in headers if isinstance(headers, list) else ():
            if isinstance(header, str):
                spec = SecretSpec(description=f"Header {header} for remote write to {name}.")
                yield header_secret(name, header), spec


def wanted_secrets(targets: tuple[RemoteWriteSettings, ...]) -> Iterator[tuple[str, str]]:
    """The setting and the name of every secret that receivers need."""
    for index, one in enumerate(targets):
        for setting, _, name in one.secrets:
            yield f"remoteWrite[{index}].{setting}", name


def certificates(targets: tuple[RemoteWriteSettings, ...]) -> Iterator[tuple[str, str]]:
    """The setting and the path of every certificate."""
    for index, one in enumerate(targets):
        for field in ("ca", "certificate"):
            path: str | None = getattr(one.tls, field, None)
            if path:
                yield f"remoteWrite[{index}].tls.{field}", path


def check(source: str, targets: tuple[RemoteWriteSettings, ...], edge: str | None) -> None:
    """ConfigError where two receivers are one, or one is the stack's own edge, at this address.

    `source` is the prefix of errors: the file and the key prefix.
    """
    taken: dict[str, int] = {}
    for index, one in enumerate(targets):
        where = f"{source}remoteWrite[{index}]"
        if one.name in taken:
            raise ConfigError(
                f"{where}.name: {one.name!r} is the name of remoteWrite[{taken[one.name]}] too",
                "give it another name, or remove it",
            )
        taken[one.name] = index
        if edge is not None and urlsplit(one.url).hostname == edge.lower():
            raise ConfigError(
                f"{where}.url: {edge} is the edge of this stack, which would receive its own samples again",
                "write the address of another receiver, or remove it",
            )
