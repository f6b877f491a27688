"""Files of JSON lines: a process that is killed, half a line, and processes that write at the same time."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from observability.operations.incidents import incidents
from observability.operations.journal import Journal
from observability.settings.load import ROOT

APPENDS = """
import sys
from pathlib import Path
from observability.operations.journal import Journal
journal = Journal(path=Path(sys.argv[1]))
number = 0
while True:
    journal.append({"number": number, "text": "x" * 3000})
    print(number, flush=True)
    number += 1
"""


def test_a_killed_process_loses_no_record_that_it_had_confirmed(tmp_path: Path) -> None:
    journal = Journal(path=tmp_path / "made" / "one.jsonl")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", APPENDS, str(journal.path)], stdout=subprocess.PIPE, text=True, env=environment
    ) as writer:
        assert writer.stdout is not None
        confirmed = [int(writer.stdout.readline()) for _ in range(20)][-1]
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    found = [record["number"] for record in journal.records()]
    assert found[: confirmed + 1] == list(range(confirmed + 1))


def test_half_a_line_hides_neither_the_records_before_nor_those_after(tmp_path: Path) -> None:
    journal = Journal(path=tmp_path / "one.jsonl")
    journal.append({"number": 1})
    with journal.path.open("a", encoding="utf-8") as file:
        file.write('{"number": 2, "te')
    journal.append({"number": 3, "text": "two\nlines\u2028"})
    assert journal.records() == [{"number": 1}, {"number": 3, "text": "two\nlines\u2028"}]


OPENS = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from observability.operations.incidents import Incidents
from observability.operations.journal import Journal
store = Incidents(journal=Journal(path=Path(sys.argv[1])), stack="dev", by="ann")
for number in range(20):
    print(store.open(f"number {number}", "P3", store.now).id)
"""


def test_incidents_that_are_opened_at_the_same_time_have_different_ids(tmp_path: Path) -> None:
    path = tmp_path / "one.jsonl"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    made = [
        subprocess.Popen([sys.executable, "-c", OPENS, str(path)], stdout=subprocess.PIPE, text=True, env=environment)
        for _ in range(3)
    ]
    ids = [line for one in made for line in one.communicate()[0].split()]
    assert [one.returncode for one in made] == [0, 0, 0]
    assert len(set(ids)) == len(ids) == len(incidents(Journal(path=path))) == 60
