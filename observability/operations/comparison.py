"""Rows of `verify`: what is installed and in use, compared with what is declared."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from observability.core import naming
from observability.core.documents import load_yaml
from observability.operations import drift, installed, loaded
from observability.operations.drift import Docker
from observability.operations.rows import Row
from observability.parts.model import Loaded
from observability.parts.registry import parts
from observability.settings.load import StackConfig
from observability.synth.declared import CONTAINER, Declared

Get = Callable[..., Any]
Retry = Callable[[Callable[[], bool]], bool]


def rows(config: StackConfig, engine: Docker, get: Get, retry: Retry) -> Iterator[Row]:
    """A row for the containers, for each folder of configuration, and for what each server has in use."""
    yield from _in_docker(config, engine)
    for server in _servers(config, engine.declared, get, retry):
        yield from server.rows()


def of_host(config: StackConfig, engine: Docker, host: str) -> Iterator[Row]:
    """A row for the containers of another host's agent, and one for each folder of its configuration."""
    for row in _in_docker(config, engine):
        yield replace(row, check=f"{row.check} on {host}")


def _in_docker(config: StackConfig, engine: Docker) -> Iterator[Row]:
    yield from _containers(config, engine)
    yield from _networks(config, engine)
    yield from _files(config, engine)


def _up(config: StackConfig) -> str:
    return f"./obs up {config.stack}".removesuffix(" dev")


def _containers(config: StackConfig, engine: Docker) -> Iterator[Row]:
    differing = drift.containers(engine)
    count = sum(one.type == CONTAINER for one in engine.declared)
    if not differing:
        yield Row.of("containers as declared", f"{count} containers", ok=True)
    for one in differing:
        yield Row.of(
            f"{one.name} as declared", str(one), ok=False, fix=f"{_up(config)} replaces it", repair=(one.resource,)
        )
    for name in drift.strangers(engine, config.stack):
        yield Row.of(
            f"container {name}", "has the stack's label and is not declared", ok=False, fix=f"docker rm -f {name}"
        )


def _networks(config: StackConfig, engine: Docker) -> Iterator[Row]:
    found = [*drift.networks(engine, config.stack), *drift.volumes(engine)]
    if not found:
        yield Row.of("networks and volumes as declared", naming.network(config.stack), ok=True)
    for one in found:
        yield Row.of("networks and volumes as declared", one, ok=False, fix="remove it there")


def _files(config: StackConfig, engine: Docker) -> Iterator[Row]:
    for found in drift.files(engine):
        yield Row.of(
            f"files of {found.folder.service}",
            f"{len(found.folder.files)} as declared" if found.ok else str(found),
            ok=found.ok,
            fix=f"{_up(config)} installs them again",
            repair=drift.replaced_with(found.folder, engine.declared),
        )


@dataclass(frozen=True, kw_only=True)
class _Server:
    """A server whose API shows what it has in use.

    `texts` are its declared files by path, `folder` is where they are, `arguments` are those of its command.
    """

    name: str
    how: Loaded
    folder: str
    arguments: Sequence[str]
    texts: Mapping[str, str]
    get: Get
    retry: Retry
    fix: str
    repair: tuple[str, ...]

    def rows(self) -> Iterator[Row]:
        """A row for its configuration, one for its rules, one for the series that record constants."""
        yield self._configuration()
        if self.how.rules:
            files = {path: text for path, text in self.texts.items() if path.startswith(self.how.rule_files)}
            yield self._rules(files)
            constants = loaded.constants(files) if self.how.values else {}
            if constants:
                yield self._values(constants)

    def _configuration(self) -> Row:
        wanted = load_yaml(self.texts[self.how.file])

        def differences() -> list[str]:
            answer = self.get(self.name, self.how.config)
            for key in self.how.at:
                answer = answer[key]
            return loaded.configuration(wanted, load_yaml(answer), self.how, self.folder, self.arguments)

        return self._row(f"configuration in use by {self.name}", f"{self.how.file} as declared", differences)

    def _rules(self, files: Mapping[str, str]) -> Row:
        wanted = {path: load_yaml(text) for path, text in files.items()}
        count = sum(len(group["rules"]) for file in wanted.values() for group in file["groups"])

        def differences() -> list[str]:
            return list(loaded.rules(wanted, self.get(self.name, self.how.rules)["data"]["groups"]))

        return self._row(f"rules in use by {self.name}", f"{count} as declared", differences)

    def _values(self, constants: loaded.Constants) -> Row:
        query = f'{{__name__=~"{"|".join(sorted(constants))}"}}'
        count = sum(len(series) for series in constants.values())

        def differences() -> list[str]:
            result = self.get(self.name, self.how.values, query=query)["data"]["result"]
            return list(loaded.values(constants, result))

        return self._row(f"constant series in {self.name}", f"{count} as declared", differences)

    def _row(self, check: str, detail: str, differences: Callable[[], list[str]]) -> Row:
        """A row that passes as soon as there are no differences."""
        found: list[str] = []

        def same() -> bool:
            found[:] = differences()
            return not found

        ok = self.retry(same)
        return Row.of(check, detail if ok else loaded.summary(found), ok=ok, fix=self.fix, repair=self.repair)


def _servers(config: StackConfig, declared: Sequence[Declared], get: Get, retry: Retry) -> Iterator[_Server]:
    """Every server that runs, has such an API, and can be reached."""
    reachable = config.addresses
    folders = {folder.service: folder for folder in installed.folders(declared)}
    by_name = {one.name: one for one in declared}
    for name, part in parts().items():
        folder = folders.get(name)
        if part.loaded is None or folder is None or not config.runs(name) or name not in reachable:
            continue
        uploads = by_name[folder.resource].inputs["uploads"]
        yield _Server(
            name=name,
            how=part.loaded,
            folder=folder.path,
            arguments=_arguments(declared, naming.container(config.stack, name)),
            texts={folder.relative(upload["file"]): upload["content"] for upload in uploads},
            get=get,
            retry=retry,
            fix=f"{_up(config)} loads it again",
            repair=drift.replaced_with(folder, declared),
        )


def _arguments(declared: Sequence[Declared], container: str) -> list[str]:
    """The words of a container's entry point and command."""
    for one in declared:
        if one.type == CONTAINER and one.inputs["name"] == container:
            return [*(one.inputs.get("entrypoints") or ()), *(one.inputs.get("command") or ())]
    return []
