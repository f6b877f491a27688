"""`obs system new` and `obs system check`: create a system's file, and compare it with the live system's metrics."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import urlsplit

import typer
from rich.console import Console

from observability.core import project
from observability.core.errors import ConfigError

if TYPE_CHECKING:
    from observability.systems.compare import Finding
    from observability.systems.exposition import Page, RefusedError
    from observability.systems.model import Scrape, System


ANSWERS: Final = 5
"""How often a system is scraped: with several workers behind an address, the second response may come from another."""

PATIENCE: Final = 5.0
"""Seconds; a system with a slower response is scraped only twice."""

_COLOURS: Final = {"agrees": "green", "differs": "red", "doubtful": "yellow", "undeclared": "dim"}

out = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The responses of an address, or the content of a file. `at` in milliseconds since 1970, None: unknown.

    `body` and `content_type` are those of the first response; where Prometheus refuses it, `refused` says why and
    there are no pages.
    """

    pages: "Sequence[Page]"
    body: bytes
    content_type: str | None
    at: int | None = None
    refused: "RefusedError | None" = None


def new_system(
    name: Annotated[str, typer.Argument(help="Name of the system: the label `system` and the file's name.")],
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Address of its metrics, or a file with its answer; the file is generated from them. otlp, or "
            "otlp:jvm, otlp:node, otlp:go, otlp:python: OpenTelemetry's metrics by OTLP.",
        ),
    ] = None,
) -> None:
    """Write systems/NAME.yaml: a commented file to start from, or one made from a live page of metrics."""
    from observability.systems import conventions
    from observability.systems.blank import blank
    from observability.systems.load import check_name, load_file

    check_name(name)
    folder = project.writable("systems")
    path = folder / f"{name}.yaml"
    there = next((one for one in (path, path.with_suffix(".yml")) if one.exists()), None)
    if there:
        raise ConfigError(f"{project.shown(there)} is there already", "edit it, or choose another name")
    conventional = source is not None and conventions.is_source(source)
    if source is None:
        text = blank(name)
    else:
        text = conventions.draft(name, source) if conventional else _drafted(name, source)
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    shown = project.shown(path)
    try:
        system = load_file(path)
    except ConfigError:
        path.unlink()
        raise
    if source:
        from observability.systems.draft import summary

        series, guesses = summary(text)
        signals = [
            info.alias for key, info in type(system.signals).model_fields.items() if getattr(system.signals, key)
        ]
        out.print(f"{shown} written: {series} series, signals: {', '.join(map(str, signals)) or 'none recognised'}")
        out.print(f"read the {guesses} comments that begin with `guess:`, correct what is wrong")
        if conventional:
            out.print(f"then: say in systems.{name}.traces.services which services it is, ./obs preview, ./obs up")
        else:
            out.print(f"then: ./obs system check {shown} --against {source}", markup=False)
    else:
        out.print(f"{shown} written: say in it which series the system exposes, and what they mean")
        out.print(f"then: ./obs system check {shown} --against http://HOST:PORT/metrics", markup=False)


def _drafted(name: str, source: str) -> str:
    """The text of a system's file from an address's response; ConfigError where there are no metrics."""
    from observability.systems.draft import draft
    from observability.systems.exposed import exposed
    from observability.systems.exposition import RefusedError

    asked = ask(source, 1)
    try:
        if asked.refused is not None:
            raise asked.refused
        page = asked.pages[0]
        if not exposed(page):
            raise RefusedError("it holds no series")
    except RefusedError as error:
        raise ConfigError(
            f"{source}: Prometheus refuses the page: {error}", error.fix or "give the address of the metrics"
        ) from None
    for doubt in page.doubts:
        out.print(f"[yellow]note[/]: {doubt}")
    return draft(name, page, source)


def check_system(
    file: Annotated[Path, typer.Argument(help="The system's file, systems/NAME.yaml.")],
    against: Annotated[str, typer.Option("--against", help="Address of its metrics, or a file with its answer.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Compare a system's file with what Prometheus stores of its metrics; exit code 1 where they do not agree."""
    from observability.systems.compare import compare, of_libraries, refused
    from observability.systems.exposition import RefusedError
    from observability.systems.load import load_file
    from rules import blind

    if not file.is_file():
        known = ", ".join(project.shown(path) for path in project.files("systems", *project.YAML).values())
        raise ConfigError(f"{file} is not there", f"name one of {known}")
    system = load_file(file)
    scrape = system.scrape
    if scrape is None:
        raise ConfigError(
            f"{file}: has no scrape: the system has no page of metrics to compare with",
            "look at what it sends in Grafana: spans in dashboard Traces, metrics in The Stack Itself",
        )
    own = 0
    asked = ask(against)
    try:
        if asked.refused is not None:
            raise asked.refused
        found = _of_path(scrape, against) + compare(system, asked.pages, asked.at)
        own = of_libraries(asked.pages[0])
    except RefusedError as error:
        if error.line is None or error.looks_like_another_page:
            raise _no_metrics(against, scrape, error) from None
        found = refused(system, error)
    seen, said = _by_prometheus(asked, system)
    found = [*seen, *found]
    missing: dict[str, frozenset[str]] = {}
    for finding in found:
        if finding.blind is not None:
            before = missing.get(finding.series)
            # No labels means the whole series, which includes all of its labels.
            whole = not finding.blind or before == frozenset()
            missing[finding.series] = frozenset() if whole else finding.blind | (before or frozenset())
    silent = blind.alerts(system, missing) if missing else ()
    differing = {finding.series for finding in found if finding.verdict == "differs"}
    if as_json:
        rows = [{"series": one.series, "verdict": one.verdict, "detail": one.detail} for one in found]
        document = {"findings": rows, "blind": silent, "agree": not differing, "prometheus": said}
        typer.echo(json.dumps(document, indent=2))
    else:
        _print(found, silent, own)
        if said:
            out.print(said, markup=False)
        agree = len(system.series) - len(differing & system.series.keys())
        out.print(f"{agree} of {len(system.series)} declared series agree with {against}", markup=False)
    if differing:
        raise typer.Exit(1)


def _by_prometheus(asked: Asked, system: "System") -> "tuple[list[Finding], str | None]":
    """The findings of the pinned Prometheus, and whether it ran; None where its program is absent."""
    from observability.check import pinned
    from observability.systems.compare import refused
    from observability.systems.exposition import RefusedError

    program = pinned.find()
    if program is None:
        return [], None
    name = f"Prometheus {pinned.version()}"
    try:
        stored = pinned.scrape(program, asked.body, asked.content_type)
    except pinned.SilentError as error:
        return [], f"{name} could not be asked: {error}"
    if stored.refusal is not None:
        # Where the page was refused here, the reason and its fix are known better.
        found = [] if asked.refused else refused(system, RefusedError(f"{name}: {stored.refusal}"))
        return found, f"{name} was given the answer as well, and refuses it"
    found = list(pinned.findings(asked.pages[0] if asked.pages else None, stored, asked.at))
    return found, f"{name} was given the answer as well, and stores {len(stored.series)} series of it"


def _print(found: "Sequence[Finding]", silent: Sequence[str], libraries: int) -> None:
    width = max(len(finding.series) for finding in found)
    for finding in found:
        out.print(f"[{_COLOURS[finding.verdict]}]{finding.verdict:<10}[/]", end=" ")
        out.print(f"{finding.series:<{width}}  {finding.detail}".rstrip(), markup=False)
    if libraries:
        out.print(f"not listed: {libraries} series that a client library or framework brings by itself")
    if silent:
        out.print(f"[red]blind[/]: these alerts cannot fire until that is fixed: {', '.join(silent)}")


def _no_metrics(against: str, scrape: "Scrape", error: ValueError) -> ConfigError:
    return ConfigError(
        f"{against} does not answer in Prometheus' text format: {' '.join(str(error).split())[:300]}",
        f"give the address of the metrics, for this system http://HOST:{scrape.port}{scrape.path}",
    )


def _of_path(scrape: "Scrape", against: str) -> "list[Finding]":
    """A finding where obs read another path than Prometheus does: it must be the same page."""
    from observability.systems.compare import PAGE, Finding

    parts = urlsplit(against)
    asked = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if parts.scheme not in ("http", "https") or asked == scrape.path:
        return []
    detail = f"was asked for at {asked}, and Prometheus asks for {scrape.path}: correct scrape.path"
    return [Finding(series=PAGE, verdict="doubtful", detail=detail)]


def ask(against: str, times: int = ANSWERS) -> Asked:
    """The exposed metrics, as Prometheus reads them; ConfigError where there is no response."""
    from observability.systems import exposition
    from observability.systems.fetch import Answer, fetch

    answers: list[Answer] = []
    if against.startswith(("http://", "https://")):
        begun = monotonic()
        for answer in fetch(against, times):
            answers.append(answer)
            if len(answers) > 1 and monotonic() - begun > PATIENCE:
                break
    else:
        try:
            body = Path(against).read_bytes()
        except OSError as error:
            raise ConfigError(f"{against}: {error.strerror}", "give http://HOST:PORT/metrics, or a file") from None
        answers.append(Answer(body=body, content_type=exposition.type_of(body), at=0, seconds=0))
    pages: list[Page] = []
    for one in answers:
        try:
            pages.append(exposition.read(one.body, one.content_type))
        except exposition.RefusedError as error:
            return Asked(pages=[], body=one.body, content_type=one.content_type, at=one.at or None, refused=error)
    first = answers[0]
    return Asked(pages=pages, body=first.body, content_type=first.content_type, at=first.at or None)
