"""The store of traces."""

import json
import time
from contextlib import suppress

from observability.parts import jaeger
from observability.traces import jaeger as jaeger_files
from tests.samples.lab import Lab, Server
from tests.samples.recipe import Recipe, config
from tests.servers.spans import request, written

_OF_JAEGER = jaeger_files.files(config({"traces": {}}))


def _store_and_find(lab: Lab) -> None:
    """Spans that are stored, a search, and a trace that is not there."""
    lab.wait(lambda: lab.get(f"http://jaeger:{jaeger.HEALTH}/status"))
    lab.get(f"http://jaeger:{jaeger.OTLP}/v1/traces", post=json.dumps(written("print-shop", [request(200)])))
    api = f"http://jaeger:{jaeger.PORT}/api"
    lab.get(f"{api}/traces?service=print-shop&lookback=1h")
    with suppress(RuntimeError):
        lab.get(f"{api}/traces/0123456789abcdef0123456789abcdef")
    # Badger's own series are copied every ten seconds.
    time.sleep(11)


def store() -> Recipe:
    """Jaeger."""
    return Recipe(
        image=jaeger.NAME,
        job=jaeger.NAME,
        how="with the dev stack's configuration; spans were stored and searched, and a trace that is not there",
        servers=[
            Server(
                name=jaeger.NAME,
                image=jaeger.NAME,
                files={
                    f"/etc/jaeger/{path}": text for path, text in jaeger_files.files(config({"traces": {}})).items()
                },
                command=(f"--config=/etc/jaeger/{jaeger_files.MAIN}",),
            )
        ],
        urls=[f"http://jaeger:{jaeger.METRICS}/metrics"],
        prepare=_store_and_find,
        masks={"service_instance_id": {".*": "example"}},
        without="http_server_.*",
    )
