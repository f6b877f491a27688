"""`obs new-system` and `obs check-system`: a system's file, from its first line to what the live system exposes."""

from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from observability.core.errors import ConfigError
from observability.settings.load import ROOT

FOLDER: Final = ROOT / "systems"
TEMPLATE: Final = ROOT / "observability" / "systems" / "template" / "system.yaml"

_COLOURS: Final = {"agrees": "green", "differs": "red", "doubtful": "yellow", "undeclared": "dim"}

out = Console(highlight=False, soft_wrap=True)


def new_system(
    name: Annotated[str, typer.Argument(help="Name of the system: the label `system` and the file's name.")],
) -> None:
    """Write a commented file to start from, systems/NAME.yaml."""
    from observability.systems.load import check_name, load_file

    check_name(name)
    path = FOLDER / f"{name}.yaml"
    if path.exists():
        raise ConfigError(f"systems/{path.name} is there already", "edit it, or choose another name")
    title = name.replace("-", " ").title()
    text = TEMPLATE.read_text(encoding="utf-8").replace("<name>", name).replace("<title>", title)
    path.write_text(text, encoding="utf-8")
    load_file(path)
    out.print(f"systems/{path.name} written: say in it which series the system exposes, and what they mean")
    out.print(f"then: ./obs check-system systems/{path.name} --against http://HOST:PORT/metrics", markup=False)


def check_system(
    file: Annotated[Path, typer.Argument(help="The system's file, systems/NAME.yaml.")],
    against: Annotated[
        str, typer.Option("--against", help="Address of its metrics, or a file with what it answered.")
    ],
) -> None:
    """Compare a system's file with what the system exposes; exit code 1 where they do not agree."""
    from observability.systems.compare import compare
    from observability.systems.load import load_file

    if not file.is_file():
        known = ", ".join(sorted(f"systems/{path.name}" for path in FOLDER.glob("*.yaml")))
        raise ConfigError(f"{file} is not there", f"name one of {known}")
    system = load_file(file)
    try:
        found = compare(system, _text(against))
    except ValueError as error:
        raise ConfigError(
            f"{against} does not answer in Prometheus' text format: {' '.join(str(error).split())[:200]}",
            f"give the address of the metrics, for this system http://HOST:{system.scrape.port}{system.scrape.path}",
        ) from None
    width = max(len(finding.series) for finding in found)
    for finding in found:
        out.print(f"[{_COLOURS[finding.verdict]}]{finding.verdict:<10}[/]", end=" ")
        out.print(f"{finding.series:<{width}}  {finding.detail}".rstrip(), markup=False)
    differing = {finding.series for finding in found if finding.verdict == "differs"}
    agree = len(system.series) - len(differing)
    out.print(f"{agree} of {len(system.series)} declared series agree with {against}", markup=False)
    if differing:
        raise typer.Exit(1)


def _text(against: str) -> str:
    """What is exposed; ConfigError where nothing answers."""
    import httpx

    if not against.startswith(("http://", "https://")):
        try:
            return Path(against).read_text(encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"{against}: {error.strerror}", "give http://HOST:PORT/metrics, or a file") from None
    try:
        answer = httpx.get(against, headers={"Accept": "text/plain;version=0.0.4"}, timeout=10, follow_redirects=True)
        answer.raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ConfigError(
            f"{against} does not answer: {str(error).splitlines()[0] or type(error).__name__}",
            "see that the system runs and the address is right; behind a login, save the answer and name the file",
        ) from None
    return answer.text
