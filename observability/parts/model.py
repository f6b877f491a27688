"""The definition of a part: a server or exporter that a stack can run.

A part that is left out adds nothing: no container, image, scrape job, rule, panel or row of `obs verify`. Descriptors
are data and plain functions; settings, scrape jobs, components, secrets and checks loop over them. To add an exporter,
add one file to `observability/parts/` (or to `parts/` of a project folder) that defines `PART`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Literal, TypeVar

from pydantic import Field

from observability.core.naming import PLATFORM
from observability.core.secret import SecretSpec
from observability.core.section import PartSettings, Section
from observability.core.types import Address, Profile, ServiceName
from toolchain.recipe import Recipe

NOBODY: Final = "65534:65534"
"""uid and gid of the Prometheus project's images."""

FULL: Final = frozenset[Profile]({"full"})
METRICS: Final = frozenset[Profile]({"full", "metrics"})
ALWAYS: Final = frozenset[Profile]({"full", "metrics", "minimal"})
FOLDER_MARK: Final = "@folder@"
"""In a file of `Files` with a checker: placeholder for the folder in which the files are installed."""

NEVER: Final = frozenset[Profile]()
"""The profiles that include a part; NEVER: only with `enabled: true`."""

Rule = Literal[
    "not root",
    "read-only root",
    "health check",
    "own network",
    "no Docker socket",
    "no capability",
    "no device",
]
"""A confinement rule from which a container may be exempt."""


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """One service exempt from one confinement rule, with the reason; `service` may end in `*`."""

    service: str
    rule: Rule
    reason: str


@dataclass(frozen=True, kw_only=True)
class Image:
    """A pinned image: the name of the service that runs it, the reference, and how to build it where it cannot be
    pulled (None: it cannot be built from package registries).
    """

    name: str
    reference: str
    recipe: Recipe | None = None
    wanted: Callable[[Any], bool] = lambda _: True
    """Whether the part runs it, as a function of the part's settings."""


class Server(Section):
    """One server of a watched system, read by an exporter."""

    name: ServiceName | None = Field(
        None, description="Name of this server; it becomes part of its secret's name where a system has several."
    )

    @property
    def instance(self) -> str:
        """Value of the label `instance`."""
        raise AttributeError(f"{type(self).__name__} states no instance")

    @property
    def needs_password(self) -> bool:
        """Whether the exporter signs in with a password, which is a secret of the stack."""
        return False

    @property
    def every(self) -> float:
        """Seconds between two readings; 0: the scrape interval of the stack."""
        return 0.0


class AddressedServer(Server):
    """A server known by host and port."""

    address: Address = Field(description="Host and port.")

    @property
    def instance(self) -> str:
        """The address."""
        return self.address


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """Where a server's API shows what it has in use, to compare it with the files that are declared for it.

    `config` is the path of its configuration, `at` the keys that lead to the YAML text in a JSON response (none: the
    response is the text); `file` the file that it was read from. `added` are the values, by key, that the server adds
    to what it read, and `added_pattern` a pattern of such texts; None: it adds so many that only the declared keys
    are compared. `inherits` is the section whose values it repeats elsewhere, `unordered` are the keys of lists that
    it sorts. `rules` is the path of its loaded rules, `rule_files` the folder of their files, `values` the path for
    queries of the series that they record.
    """

    file: str
    config: str
    at: tuple[str, ...] = ()
    added: Mapping[str, Sequence[Any]] | None = None
    added_pattern: str = ""
    inherits: str = ""
    unordered: tuple[str, ...] = ()
    rules: str = ""
    rule_files: str = ""
    values: str = ""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What is backed up of a service's volume of data: all of it, but for `left_out`.

    Paths are relative to the volume and may have wildcards. `copied` are files and folders that the server changes or
    removes while it runs, and that hold what the other files do not have yet: they are copied before those are read.
    `databases` are SQLite databases. `owner` is the uid and gid of the files. `services`: those with such a volume, as
    a function of the part's settings; None: the part's own name.
    """

    owner: str
    copied: tuple[str, ...] = ()
    databases: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    services: Callable[[Any], Sequence[str]] | None = None


S = TypeVar("S", bound=Section | None)
T = TypeVar("T", bound=Server)


@dataclass(frozen=True, kw_only=True)
class Placed(Generic[T]):
    """A server, the system it belongs to, and the secret with its password (None: it needs none)."""

    system: str
    server: T
    secret: str | None = None


@dataclass(frozen=True, kw_only=True)
class Here(Generic[S, T]):
    """What a part knows of its stack.

    `files` contains the text of every file that the settings name, by path; `gateway` is the host's own address on the
    stack's network; `source` names the stack file for generated files; `runs` says whether a part runs.
    """

    settings: S
    servers: tuple[Placed[T], ...]
    files: Mapping[str, str]
    gateway: str
    source: str
    runs: Callable[[str], bool] = lambda _: False


@dataclass(frozen=True, kw_only=True)
class Scraped:
    """One target: its address, `host:port`, and its labels besides `job`."""

    address: str
    labels: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class SecretText:
    """A file made of secrets: their names, and the text as a function of their values by name."""

    names: tuple[str, ...]
    text: Callable[[Mapping[str, str]], str]


@dataclass(frozen=True, kw_only=True)
class Health:
    """How Docker checks the service: `url` is requested with the image's own wget; `test` is any other command.

    `tools` is the path of a busybox with a wget where the image's PATH has none; `bash`: by the image's bash.
    """

    url: str = ""
    test: Sequence[str] = ()
    tools: str = ""
    bash: bool = False


@dataclass(frozen=True, kw_only=True)
class Files:
    """Configuration of an exporter, written to a volume mounted at `folder`.

    With `checker` (a command that ends in an option to which the path of `main` is appended) each configuration has a
    separate folder, `Run.command` refers to it as `{main}`, and a change makes a new container. Else a loader (from
    `loader_image`, None: the exporter's own image, whose folder `loader_folder` is writable) runs the shell command
    `check` in the new folder, makes it `<folder>/current`, and requests `reload` (a path with POST); `restart`:
    the exporter reads the files only when it starts, so a change makes a new container.
    """

    folder: str
    main: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, SecretText] = field(default_factory=dict)
    checker: Sequence[str] = ()
    check: str = "true"
    copies: Mapping[str, str] = field(default_factory=dict)
    """Files that `check` copies from the loader's image to the folder: name → path in the image."""
    loader_image: str | None = None
    loader_folder: str | None = None
    reload: str | None = None
    restart: bool = False


@dataclass(frozen=True, kw_only=True)
class Run:
    """One container of an exporter. Other confinement is the same for all (`components.service`).

    `service` is None for the part's own name, else the name of one of several. `{main}` in a word of the command
    is the path of the main configuration file. `reads` are volumes of the part into which other parts write: path in
    the container by role.
    """

    user: str
    service: str | None = None
    health: Health | None = None
    command: Sequence[str] = ()
    entrypoint: Sequence[str] = ()
    envs: Mapping[str, str] = field(default_factory=dict)
    files: Files | None = None
    host_mounts: Mapping[str, str] = field(default_factory=dict)
    reads: Mapping[str, str] = field(default_factory=dict)
    devices: Sequence[str] = ()
    capabilities: Sequence[str] = ()
    host_network: bool = False


@dataclass(frozen=True, kw_only=True)
class Store(Generic[T]):
    """The servers of watched systems that a part reads.

    `job` is the scrape job, and the name by which a system's file declares that it has such a server (`exporters:`);
    `key` is the list in `observability:systems.<name>` that places them; `up` is the series that is 1 while the part
    reaches a server (`up` itself only says that the exporter responded).
    """

    job: str
    key: str
    server: type[T]
    description: str
    up: str = "up"
    up_now: str = ""
    """PromQL of that series where it may be older than Prometheus looks back; none: the series itself."""
    signs_in_with: str = ""
    """What a server's secret is; none: the password of the exporter."""
    declared: bool = True
    named: bool = False
    """Whether a container, or an entry of a configuration file, has a server's name, which must then be unique."""
    database: bool = False
    """Whether the dashboard Database shows it, with the rows of the module `dashboards/<job>.py` if there is one."""
    labels: Callable[[T], Mapping[str, str]] = lambda _: {}
    address: Callable[[T], str | None] | None = None
    """Where Prometheus reads a server's metrics; None: at the part's own service. Where it returns None, the server is
    read elsewhere and has no target here."""


@dataclass(frozen=True, kw_only=True)
class Part(Generic[S, T]):
    """One part of a stack.

    `settings` is the model of its section in the stack file (camelCase of `name`); None: `Settings` states the
    section. `runs` makes the containers of a plain exporter; None: the part has a component in `components/`.
    `job`, `port` and `path` are those of its own metrics, or of the metrics of its store's servers. `rules` are the
    rule files (without ending) that exist only where the part does.
    """

    name: str
    title: str
    settings: type[S] | None = None
    images: tuple[Image, ...] = ()
    profiles: frozenset[Profile] = METRICS
    essential: bool = False
    needs: tuple[str, ...] = ()
    """Parts without which it does not run; two that need each other run together or not at all."""
    active: Callable[[Any], bool] = lambda _: True
    store: Store[T] | None = None
    idle: bool = False
    """Whether it runs without any server to read."""
    job: str | None = None
    port: int = 0
    path: str = "/metrics"
    scrape: Mapping[str, Any] = field(default_factory=dict)
    targets: Callable[[Here[S, T]], Iterable[Scraped]] | None = None
    """Targets besides those of the store; None: the service itself, where there is no store."""
    runs: Callable[[Here[S, T]], Iterable[Run]] | None = None
    secrets: Mapping[str, SecretSpec] = field(default_factory=dict)
    rules: tuple[str, ...] = ()
    panels: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """Which alerts link to which panels: dashboard link after /d/ → title of the panel → names of the alerts.
    `OWNER` in the link stands for the alert's system."""
    allowances: tuple[Allowance, ...] = ()

    for_hosts: bool = False
    """Whether it runs, unless its settings say otherwise, exactly where the settings list other hosts."""
    on_hosts: bool = False
    """Whether it also runs on every other host, as a part of the agent there."""
    kept: Kept | None = None
    """What is backed up of its data; None: nothing."""
    loaded: Loaded | None = None
    """How `obs verify` reads what the server has in use; None: it has no API for that, or none that can be reached."""

    of_containers: bool = False
    """Whether its series are those of containers: each gets the system of its container."""

    @property
    def section(self) -> str:
        """Name of its section in the settings, in Python's form."""
        return self.name.replace("-", "_")


def secrets_of(servers: Iterable[Placed[Any]]) -> tuple[str, ...]:
    """Names of the secrets with the servers' passwords, without duplicates."""
    return tuple(dict.fromkeys(placed.secret for placed in servers if placed.secret))


def own(address: str) -> Scraped:
    """A target of the stack itself."""
    return Scraped(address=address, labels={"system": PLATFORM, "instance": address})


__all__ = [
    "ALWAYS",
    "FOLDER_MARK",
    "FULL",
    "METRICS",
    "NEVER",
    "NOBODY",
    "AddressedServer",
    "Allowance",
    "Files",
    "Health",
    "Here",
    "Image",
    "Kept",
    "Loaded",
    "Part",
    "PartSettings",
    "Placed",
    "Run",
    "Scraped",
    "SecretText",
    "Server",
    "Store",
    "own",
    "secrets_of",
]
