"""The parts of a stack, from their descriptors: images, ports, profiles, memory limits, rule files."""

from collections.abc import Iterator
from typing import Any, Final

from observability.parts.model import Part
from observability.parts.registry import allowances, images, parts
from observability.settings.load import StackConfig, validate
from observability.settings.model import Settings
from tools.reference.markdown import NONE, code, codes, page, table

_HEAD: Final = ("part", "what it is", "profiles", "needs", "port inside", "scrape job", "its servers", "rule files")
_ENVIRONMENTS: Final = ("dev", "staging", "prod")


def _page(config: StackConfig) -> str:
    """The page for the defaults of these settings."""
    return page(
        "Parts of a stack",
        "A part is a server or an exporter. What a stack runs follows from its `profile` and from `enabled` in the "
        "part's section of [settings.md](settings.md); `./obs status STACK` shows what runs. Each part is one file of "
        "`observability/parts/`.",
        table(_HEAD, (_row(part) for part in parts().values())),
        "Profiles: the part runs in stacks with one of these. `as set`: only where the settings ask for it. "
        "Its servers: the list below `systems.<name>` in the settings with the servers that it reads.",
        "## Images and limits",
        table(
            ("service", "image", "built here where it cannot be pulled"),
            ((code(name), code(image.reference), "yes" if image.recipe else "no") for name, image in images().items()),
        ),
        table(("setting", "default"), _figures(config.settings)),
        "## Retention",
        table(
            ("environment", "samples in Prometheus"),
            ((name, config.settings.model_copy(update={"environment": name}).retention) for name in _ENVIRONMENTS),
        ),
        "## Exceptions from the confinement of containers",
        "`components/service.py` gives every container the same confinement. These are the "
        "exceptions that parts state; those of other containers are in `components/exceptions.py`.",
        table(
            ("container", "exempt from", "reason"), ((code(one.service), one.rule, one.reason) for one in allowances())
        ),
    )


def text() -> str:
    """The page for a dev stack with no setting at all."""
    return _page(validate("dev", {}, frozenset(), complete=False))


def _row(part: Part[Any, Any]) -> tuple[str, ...]:
    return (
        code(part.name),
        part.title,
        ", ".join(sorted(part.profiles)) or "as set",
        codes(part.needs),
        str(part.port) if part.port else NONE,
        code(part.job) if part.job else NONE,
        code(part.store.key) if part.store else NONE,
        ", ".join(f"[{stem}](../../rules/{stem}.yaml)" for stem in part.rules) or NONE,
    )


def _figures(settings: Settings) -> Iterator[tuple[str, str]]:
    """Published ports, retention and memory limits of all sections, by their default."""
    for section, info in type(settings).model_fields.items():
        own = getattr(settings, section)
        for name, field in getattr(type(own), "model_fields", {}).items():
            if name == "port" or name.endswith("memory_mb") or name.startswith("retention"):
                value = getattr(own, name)
                yield code(f"{info.alias}.{field.alias}"), code(str(value)) if value is not None else NONE
