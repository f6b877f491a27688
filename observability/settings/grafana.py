"""Settings of Grafana: its server, its permissions, and external data sources."""

from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from observability.core.documents import nearest
from observability.core.errors import ConfigError
from observability.core.naming import PLATFORM
from observability.core.section import PartSettings, Section
from observability.core.types import MemoryMb, Port

STACK_FOLDER: Final = "observability"
"""uid of the folder with the dashboards of the whole stack."""

HttpUrl = Annotated[str, Field(pattern=r"^https?://[^\s/@]+(/[^\s@]*)?$", max_length=2048)]
"""An address without a user or password in it."""

Group = Annotated[str, Field(pattern=r"^[^'\\`\s][^'\\`]*$", max_length=255)]
"""Name of a group at the identity provider."""

Role = Literal["viewer", "editor", "admin"]
"""Role of an account: viewer, editor or admin."""

ROLES: Final[Mapping[Role, str]] = MappingProxyType({"viewer": "Viewer", "editor": "Editor", "admin": "Admin"})
"""Grafana's names of the roles."""


class TempoSource(Section):
    """A store of traces that is there already."""

    url: HttpUrl = Field(description="Address at which Grafana reaches it, like http://tempo.example.com:3200.")


class ElasticsearchSource(Section):
    """An Elasticsearch that holds logs."""

    url: HttpUrl = Field(description="Address at which Grafana reaches it, like https://search.example.com:9200.")
    index: str = Field(
        "[logs-]YYYY.MM.DD",
        description="Indices, one a day: the fixed part in brackets, then the date.",
        pattern=r"^\[[^\[\]\s]+\]\S*$|^[^\[\]\s]+$",
    )
    time_field: str = Field("@timestamp", description="Field with a line's time.", min_length=1)
    message_field: str = Field("message", description="Field with the line itself.", min_length=1)
    level_field: str = Field("level", description="Field with a line's level.", min_length=1)
    user: str | None = Field(
        None, description="User to sign in as; the password is the secret grafanaElasticsearchPassword."
    )
    errors_per_second: float = Field(
        1.0, description="Lines of level error a second, over 5 minutes, above which an alert comes.", gt=0
    )


class CloudWatchMetric(Section):
    """A metric of CloudWatch that the dashboard CloudWatch shows, one line for each value of a dimension."""

    namespace: str = Field(description="Its namespace, like AWS/RDS.", pattern=r"^[A-Za-z0-9_./#:-]{1,255}$")
    name: str = Field(description="Its name, like CPUUtilization.", pattern=r"^[A-Za-z0-9_./#:-]{1,255}$")
    dimension: str = Field(
        description="The dimension whose values are the lines, like DBInstanceIdentifier.",
        pattern=r"^[A-Za-z0-9_./#-]{1,255}$",
    )
    statistic: str = Field(
        "Average",
        description="Average, Sum, Minimum, Maximum, SampleCount, or a percentile like p95.",
        pattern=r"^(Average|Sum|Minimum|Maximum|SampleCount|p\d{1,2}(\.\d{1,2})?)$",
    )
    unit: Literal["short", "percent", "s", "ms", "bytes", "Bps"] = Field("short", description="Its unit in Grafana.")

    @property
    def title(self) -> str:
        """Title of its panel."""
        return f"{self.namespace.removeprefix('AWS/')} {self.name} ({self.statistic})"


def _metric(
    namespace: str, name: str, dimension: str, statistic: str, unit: Literal["short", "percent", "s", "bytes"]
) -> CloudWatchMetric:
    return CloudWatchMetric(
        namespace=f"AWS/{namespace}", name=name, dimension=dimension, statistic=statistic, unit=unit
    )


METRICS: Final = (
    _metric("ApplicationELB", "RequestCount", "LoadBalancer", "Sum", "short"),
    _metric("ApplicationELB", "HTTPCode_Target_5XX_Count", "LoadBalancer", "Sum", "short"),
    _metric("ApplicationELB", "TargetResponseTime", "LoadBalancer", "p95", "s"),
    _metric("EC2", "CPUUtilization", "InstanceId", "Average", "percent"),
    _metric("RDS", "CPUUtilization", "DBInstanceIdentifier", "Average", "percent"),
    _metric("RDS", "DatabaseConnections", "DBInstanceIdentifier", "Maximum", "short"),
    _metric("RDS", "FreeStorageSpace", "DBInstanceIdentifier", "Minimum", "bytes"),
    _metric("Lambda", "Errors", "FunctionName", "Sum", "short"),
    _metric("SQS", "ApproximateAgeOfOldestMessage", "QueueName", "Maximum", "s"),
)
"""What the dashboard shows by default: load balancers, machines, databases, functions and queues."""


class CloudWatchSource(Section):
    """Metrics and logs of an AWS account."""

    region: str = Field(description="Region that is shown first.", pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")
    access_key: str | None = Field(
        None,
        description="Id of an access key, its secret half being the secret grafanaCloudwatchSecretKey; "
        "none: what the host itself may do.",
        pattern=r"^[A-Z0-9]{16,128}$",
    )
    assume_role: str | None = Field(None, description="ARN of a role to take on.", pattern=r"^arn:aws[a-z-]*:iam::")
    namespaces: tuple[str, ...] = Field((), description="Namespaces of metrics of your own.")
    log_groups: tuple[str, ...] = Field((), description="Log groups that are searched unless others are chosen.")
    metrics: tuple[CloudWatchMetric, ...] = Field(
        METRICS,
        description="What the dashboard CloudWatch shows; by default load balancers, machines, databases, functions "
        "and queues.",
    )

    @field_validator("metrics")
    @classmethod
    def _once(cls, metrics: tuple[CloudWatchMetric, ...]) -> tuple[CloudWatchMetric, ...]:
        titles = [one.title for one in metrics]
        for title in titles:
            if titles.count(title) > 1:
                raise ValueError(f"has {title} twice; remove one of them")
        return metrics


class SentrySource(Section):
    """Issues of a Sentry organization; its token is the secret grafanaSentryToken."""

    url: HttpUrl = Field("https://sentry.io", description="Address of Sentry, or of a server of one's own.")
    organization: str = Field(
        description="Slug of the organization, as in its address.", pattern=r"^[a-z0-9][a-z0-9_-]*$", examples=["acme"]
    )
    projects: tuple[Annotated[str, Field(pattern=r"^[0-9]+$")], ...] = Field(
        (), description="Ids of the projects that the dashboard shows; none: all."
    )
    environments: tuple[Annotated[str, Field(min_length=1, max_length=64)], ...] = Field(
        (), description="Environments that the dashboard shows; none: all."
    )


class DataSourceSettings(Section):
    """Where data come from, besides the stack's own servers."""

    tempo: TempoSource | None = Field(None, description="Traces.")
    elasticsearch: ElasticsearchSource | None = Field(None, description="Logs in Elasticsearch.")
    cloudwatch: CloudWatchSource | None = Field(None, description="Metrics and logs of AWS.")
    sentry: SentrySource | None = Field(None, description="Issues of Sentry.")


class OidcSettings(Section):
    """Sign-in with an identity provider, by OAuth 2 and OpenID Connect (secret grafanaOidcSecret)."""

    name: str = Field("single sign-on", description="Name on the sign-in page's button.", min_length=1, max_length=63)
    client_id: str = Field(description="What the provider knows Grafana as.", min_length=1)
    auth_url: HttpUrl = Field(description="Address of the authorization endpoint.")
    token_url: HttpUrl = Field(description="Where Grafana gets a token.")
    api_url: HttpUrl = Field(description="Address of the userinfo endpoint.")
    scopes: tuple[str, ...] = Field(("openid", "profile", "email"), description="What is asked for.", min_length=1)
    groups_path: str = Field(
        "groups",
        description="JMESPath of a user's groups in the provider's response.",
        pattern=r"^[A-Za-z_][A-Za-z0-9_.\[\]*\"]*$",
    )
    roles: dict[Role, tuple[Group, ...]] = Field(
        {},
        description="Groups by the role they have; the highest counts. Without groups for viewer, all who can sign in "
        "are viewers; with some, all others are turned away.",
    )
    only: bool = Field(False, description="Whether this is the only way in: no form for a password.")

    @field_validator("scopes")
    @classmethod
    def _identity(cls, scopes: tuple[str, ...]) -> tuple[str, ...]:
        if "openid" not in scopes:
            raise ValueError("must hold openid; without it nobody says who signs in")
        return scopes


class TeamSettings(Section):
    """A team and the folders it may change."""

    folders: tuple[str, ...] = Field(
        description="Folders, by a system's name, platform or observability.", min_length=1
    )
    members: tuple[Annotated[str, Field(pattern=r"^[^\s@]+@[^\s@]+$")], ...] = Field(
        (), description="Mail addresses of people with an account; none: they are added in Grafana."
    )


class ServiceAccountSettings(Section):
    """An account for a program."""

    role: Role = Field("viewer", description="What it may do.")


class GrafanaSettings(PartSettings):
    """Dashboards."""

    port: Port = Field(3001, description="Port on the host.")
    url: HttpUrl | None = Field(
        None, description="Address of a Grafana that is there already: none is run then, and all is made in that one."
    )
    alert_email: str = Field(
        "alerts@localhost",
        description="Whom Grafana's own alerts are mailed to where notifications.default names nobody.",
        pattern=r"^[^\s@]+@[^\s@]+$",
    )
    data_sources: DataSourceSettings = Field(
        default_factory=DataSourceSettings, description="Where data come from, besides the stack's own servers."
    )
    oidc: OidcSettings | None = Field(None, description="Sign-in with an identity provider.")
    teams: dict[Annotated[str, Field(min_length=1, max_length=63)], TeamSettings] = Field(
        {}, description="Teams and the folders they may change."
    )
    service_accounts: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")], ServiceAccountSettings] = Field(
        {"ci-viewer": ServiceAccountSettings(role="viewer"), "ci-editor": ServiceAccountSettings(role="editor")},
        description="Accounts for programs; ./obs grafana-token makes a token for one.",
    )
    public_status: bool = Field(
        False,
        description="Whether the dashboard Status can be looked at without an account, by an address of its own.",
    )
    memory_mb: MemoryMb = Field(256, description="Memory limit, MiB.")

    @model_validator(mode="after")
    def _own_server(self) -> Self:
        if self.url is not None and self.oidc is not None:
            raise ValueError("oidc is for the Grafana that the stack runs; take it out, or take url out")
        return self


def wanted_secrets(settings: GrafanaSettings) -> Iterator[tuple[str, str]]:
    """Each setting that needs a secret, and the secret's name."""
    sources = settings.data_sources
    if settings.url is not None:
        yield "url", "grafanaAuth"
    if settings.oidc is not None:
        yield "oidc", "grafanaOidcSecret"
    if sources.elasticsearch is not None and sources.elasticsearch.user is not None:
        yield "dataSources.elasticsearch.user", "grafanaElasticsearchPassword"
    if sources.cloudwatch is not None and sources.cloudwatch.access_key is not None:
        yield "dataSources.cloudwatch.accessKey", "grafanaCloudwatchSecretKey"
    if sources.sentry is not None:
        yield "dataSources.sentry", "grafanaSentryToken"


def check(source: str, settings: GrafanaSettings, systems: Collection[str]) -> None:
    """ConfigError where a team may change a folder that does not exist; `source` is the prefix of errors."""
    known = [STACK_FOLDER, PLATFORM, *systems]
    for team, own in settings.teams.items():
        for index, folder in enumerate(own.folders):
            if folder not in known:
                raise ConfigError(
                    f"{source}grafana.teams.{team}.folders[{index}]: {folder!r}: there is no such folder",
                    f"{nearest(folder, known)}known here: {', '.join(known)}",
                )
