"""promtool, where it is available: whether Prometheus accepts the rules, and whether their tests pass."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import yaml

from observability.check.problem import Problem, line_in
from observability.core import project
from observability.core.documents import load_yaml
from observability.parts.registry import images

_REFUSED: Final = re.compile(r"(?P<file>rules/[^\s:]+): (?P<line>\d+):\d+: (?P<what>.*)")
_NAMED: Final = re.compile(r"name: (?P<name>[^,\n]+)")
_SECONDS: Final = 120


def find() -> Path | None:
    """The program: on the PATH, else the one that this repository built; None where there is neither."""
    on_path = shutil.which("promtool")
    if on_path is not None:
        return Path(on_path)
    recipe = images()["prometheus"].recipe
    build = recipe.build if recipe is not None else None
    built = build.folder / "bin" / "promtool" if build is not None else None
    return built if built is not None and built.is_file() else None


def check_rules(program: Path, texts: Mapping[str, str]) -> Iterator[Problem]:
    """The errors that promtool reports in these rule files, given by name."""
    files = {f"rules/{name}": text for name, text in texts.items()}
    code, output = _run(program, ["check", "rules", "--lint=none", *files], files)
    if code == 0:
        return
    found = [
        Problem(
            file=match["file"],
            line=int(match["line"]),
            what=f"promtool: {match['what']}",
            fix="correct the rule at that line",
        )
        for match in _REFUSED.finditer(output)
    ]
    yield from found or [Problem(file=None, line=None, what=f"promtool: {_short(output)}", fix="correct the rules")]


def test_rules(program: Path, tests: Sequence[Path], texts: Mapping[str, str]) -> Iterator[Problem]:
    """The tests of rules that fail; a test file refers to its rule files as `rules/<name>`."""
    rules = {f"rules/{name}": text for name, text in texts.items()}
    for path in tests:
        text = in_order(path.read_text(encoding="utf-8"), rules)
        code, output = _run(program, ["test", "rules", path.name], {**rules, path.name: text})
        if code == 0:
            continue
        named = _NAMED.search(output)
        yield Problem(
            file=project.shown(path),
            line=line_in(path, named["name"].strip()) if named else None,
            what=f"the test fails: {_short(output)}",
            fix="correct the rule, or what the test expects; `exp` is expected, `got` is what the rules return",
        )


def in_order(test: str, rules: Mapping[str, str]) -> str:
    """A file of promtool's tests that evaluates the groups of its rule files, given by name, in their order.

    Without `group_eval_order`, promtool takes the groups in any order: a rule then reads what a rule of another group
    recorded either now or one interval before, and a test at a limit passes in some runs only. A file that states an
    order, or to which none can be added, is returned as it is.
    """
    try:
        document = load_yaml(test)
        files = [load_yaml(rules[name]) for name in document["rule_files"]]
        groups = dict.fromkeys(group["name"] for file in files for group in file["groups"])
        order = {"group_eval_order": list(groups)}
        ordered = f"{test.rstrip()}\n{yaml.dump(order)}"
        added: bool = load_yaml(ordered) == {**order, **document}
    except (yaml.YAMLError, KeyError, TypeError):
        return test
    return ordered if added else test


def _run(program: Path, arguments: Sequence[str], files: Mapping[str, str]) -> tuple[int, str]:
    """Exit code and output of promtool in a folder with these files."""
    with tempfile.TemporaryDirectory(prefix="obs-check-") as folder:
        for name, text in files.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        try:
            done = subprocess.run(
                [str(program), *arguments], cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return 1, f"took longer than {_SECONDS} s"
        return done.returncode, done.stdout + done.stderr


def _short(output: str) -> str:
    """The output on one line, at most 600 characters."""
    kept = " ".join(" ".join(line.split()) for line in output.splitlines() if not line.startswith("Unit Testing"))
    return kept.replace("FAILED:", "").strip()[:600]
