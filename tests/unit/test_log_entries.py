"""Where an entry of a log begins, by the expressions that the collector is given."""

import json
import re

import pytest

from observability.logs import entries


def line(text: str, output: str = "stdout", time: str = "T") -> str:
    """A line as Docker writes it."""
    escaped = json.dumps(f"{text}\n").replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")
    return f'{{"log":{escaped},"stream":"{output}","time":"{time}"}}\n'


def cut(expression: str, text: str) -> list[str]:
    """The entries of a file: the collector cuts where a match begins."""
    begins = [match.start() for match in re.finditer(expression, text, re.MULTILINE)]
    return [text[one:other] for one, other in zip(begins, [*begins[1:], len(text)], strict=True)]


def joined(text: str) -> str:
    """An entry of Docker's after the operators that join it."""
    text = text.strip()
    for one in entries.joining():
        if "\n" in text if "contains" in one["if"] else not text.startswith("{"):
            text = re.sub(one["regex"], re.sub(r"\$\{(\d)\}", r"\\g<\1>", one["replace_with"]), text)
    return text


def of_docker(text: str) -> list[tuple[str, str, str]]:
    """Text, output and time of each entry of a file of Docker's."""
    found = [json.loads(joined(one)) for one in cut(entries.DOCKER, text)]
    return [(one["log"], one["stream"], one["time"]) for one in found]


@pytest.mark.parametrize(
    ("text", "continued"),
    [
        ("\tat com.example.Shop.pay(Shop.java:42)", True),
        ("Caused by: java.io.IOException: x", True),
        ("java.lang.IllegalStateException: no provider", True),
        ("ValueError: no provider", True),
        ("Traceback (most recent call last):", True),
        ("goroutine 17 [running]:", True),
        ("main.(*Shop).Pay(0xc000012345, {0x1, 0x2})", True),
        ("net/http.(*conn).serve(0xc0000a0000, {0x0?, 0x0?})", True),
        ("}", True),
        ("", True),
        ("Error: no such file", False),
        ("Exception in thread main java.lang.Error", False),
        ("panic: runtime error", False),
        ("server.start(8080)", False),
        ("INFO started", False),
        ('{"level":"info"}', False),
    ],
)
def test_a_line_that_continues_another_is_recognised(text: str, continued: bool) -> None:
    count = 2 if continued else 3
    assert len(cut(entries.PLAIN, f"first\n{text}\nlast\n")) == count
    assert len(cut(entries.PLAIN, f"first\r\n{text}\r\nlast\r\n")) == count
    assert len(cut(entries.DOCKER, line("first") + line(text) + line("last"))) == count
    assert len(cut(entries.DOCKER, line("first\r") + line(f"{text}\r") + line("last\r"))) == count


def test_the_lines_of_an_entry_are_one_text_with_the_time_of_the_first() -> None:
    text = line('a "quoted" \\ one', time="1") + line("\tat b", time="2") + line("", time="3") + line("c", time="4")
    assert of_docker(text) == [('a "quoted" \\ one\n\tat b\n\n', "stdout", "1"), ("c\n", "stdout", "4")]


def test_a_line_of_the_other_output_ends_an_entry() -> None:
    text = line("a", "stderr") + line("  b", "stderr") + line("x") + line("  c", "stderr")
    assert [one[:2] for one in of_docker(text)] == [("a\n  b\n", "stderr"), ("x\n", "stdout"), ("  c\n", "stderr")]


@pytest.mark.parametrize("text", ['{"a":1}', '  {"a":{"b":"}"}} ', "{}"])
def test_an_object_on_one_line_is_an_entry(text: str) -> None:
    assert [one[0] for one in of_docker(line("a") + line(text) + line("  b"))] == ["a\n", f"{text}\n", "  b\n"]
    assert cut(entries.PLAIN, f"a\n{text}\n  b\n") == ["a\n", f"{text}\n", "  b\n"]


def test_the_attributes_of_a_log_driver_are_no_text() -> None:
    attributes = line("a", time="1").replace(',"time"', ',"attrs":{"tag":"x, y"},"time"')
    assert of_docker(attributes + line(" b", time="2")) == [("a\n b\n", "stdout", "1")]


def test_what_docker_did_not_write_is_an_entry() -> None:
    text = line("a") + "\0\0\0\n" + line("b")
    assert [joined(one) for one in cut(entries.DOCKER, text)] == [line("a").strip(), "\0\0\0", line("b").strip()]


@pytest.mark.parametrize("size", range(60, 160, 3))
def test_an_entry_that_is_cut_loses_no_text(size: int) -> None:
    text = line("first") + "".join(line(f"\tat {name}") for name in ("alpha", "beta", "gamma"))
    parts = [json.loads(joined(one))["log"] for one in cut(entries.DOCKER, text[:size])]
    tail = [joined(one) for one in cut(entries.DOCKER, text[size:])]
    stored = re.sub(r'","stream[^}]*\}|\{"log":"|\\n|\n', "", "".join([*parts, *tail]))
    for word in ("first", "alpha", "beta", "gamma"):
        assert word in stored


def test_a_line_is_not_taken_for_one_that_continues_before_it_is_read() -> None:
    text = line("first") + line("java.io.IOException: x")
    for size in range(len(line("first")) + 1, len(text)):
        assert len(cut(entries.DOCKER, text[:size])) == 1


def test_a_file_with_blanks_in_its_objects_is_read_alike() -> None:
    text = line("a", time="1") + line(" b", time="2") + line("c", "stderr", time="3")
    assert of_docker(text.replace('":', '": ').replace(',"', ', "')) == of_docker(text)


def test_each_object_of_another_form_is_an_entry() -> None:
    text = '{"stream":"stdout","log":"a\\n"}\n{"message":"b"}\n'
    assert cut(entries.DOCKER, text) == text.splitlines(keepends=True)
