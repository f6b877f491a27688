"""Lines of a container while Loki is stopped."""

import os
import time
import uuid
from functools import partial

from observability.core.naming import LABEL_SERVICE, LABEL_STACK
from tests.live.conftest import STACK, Project, until
from tests.live.test_logs import lines, writer

OUTAGE = float(os.environ.get("OBS_OUTAGE_SECONDS", "15"))
"""Seconds for which Loki is stopped; the retries wait 10 s at most, so a longer outage differs only in length."""

NUMBERED = "import time\nfor n in range({count}):\n    print('numbered line', n, flush=True)\n    time.sleep(0.05)\n"


def test_no_line_is_lost_while_loki_is_down(stack: Project) -> None:
    count = int((OUTAGE + 20) / 0.05)
    service = f"try-{uuid.uuid4().hex[:8]}"
    loki = stack.client.containers.get(f"obs-{STACK}-loki")
    with writer(stack, {LABEL_STACK: STACK, LABEL_SERVICE: service}, NUMBERED.format(count=count)):
        until(partial(lines, f'{{service="{service}"}}', 1))
        loki.stop()
        time.sleep(OUTAGE)
        loki.start()
        last = f"numbered line {count - 1}"
        until(partial(lines, f'{{service="{service}"}} |= "{last}"', 1))
        numbers: set[int] = set()
        start = 0
        while True:
            page = lines(f'{{service="{service}"}}', start=start)
            new = {int(text.rpartition(" ")[2]) for _, _, text in page} - numbers
            if not new:
                break
            numbers |= new
            start = page[-1][1]
    assert numbers == set(range(count))
    until(lambda: stack.obs("verify", STACK, "--quick").returncode == 0)
