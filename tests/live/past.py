"""A history of eight days for a new stack, so that comparisons with the week before have data."""

import io
import tarfile

from demo.history import lines
from demo.systems import SHOP
from tests.live.conftest import HANG_SECONDS, STACK, Project, until

OLDEST = "app:orders:increase1h offset 1w"
"""A query that returns data only in a stack with a history."""


def give(stack: Project) -> None:
    """Write the demo's history into Prometheus' storage with promtool, once, and make Prometheus read it."""
    if stack.prometheus("query", query=OLDEST)["result"]:
        return
    client = stack.client
    server = client.containers.get(f"obs-{STACK}-prometheus")
    # The counters end where the demo's own began.
    first = min(float(one["value"][1]) for one in _first_samples(stack))
    text = "\n".join(lines(int(first) // 60 * 60 - 8 * 86400, int(first) // 60 * 60, SHOP.pace.requests)) + "\n"
    promtool = client.containers.create(
        server.attrs["Config"]["Image"],
        entrypoint=[
            "/bin/promtool",
            "tsdb",
            "create-blocks-from",
            "--max-block-duration=192h",
            "openmetrics",
            "/tmp/past.om",  # noqa: S108 - in the container
            "/prometheus",
        ],
        user=server.attrs["Config"]["User"],
        volumes={f"obs-{STACK}-prometheus-data": {"bind": "/prometheus", "mode": "rw"}},
        network_disabled=True,
    )
    try:
        promtool.put_archive("/tmp", _archive("past.om", text.encode()))  # noqa: S108 - in the container
        promtool.start()
        assert promtool.wait(timeout=HANG_SECONDS)["StatusCode"] == 0, promtool.logs().decode()
    finally:
        promtool.remove(force=True, v=True)
    # Blocks written by other programs are read at startup, otherwise within a minute.
    server.restart(timeout=30)
    until(lambda: stack.prometheus("query", query=OLDEST)["result"])


def _first_samples(stack: Project) -> list[dict[str, list[str]]]:
    query = 'min_over_time(timestamp(up{job="backend"})[1h:15s])'
    found: list[dict[str, list[str]]] = until(lambda: stack.prometheus("query", query=query)["result"])
    return found


def _archive(name: str, data: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(data), 0o644
        archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()
