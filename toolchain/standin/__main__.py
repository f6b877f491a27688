"""Serve the stand-in as the Pulumi engine expects it of a plugin: print the port, serve calls until stopped."""

import gc
import importlib.util
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Final

import grpc  # type: ignore[import-untyped]  # it ships no types

MESSAGE_BYTES: Final = 400 * 1024 * 1024
"""The maximum size of a message in Pulumi."""
ORPHAN_SECONDS: Final = 5.0
"""How long the plugin still runs after its engine was killed."""
PARALLEL: Final = 64
"""Calls served at a time: some wait for containers, and the others must not wait for them."""


def main() -> None:
    """Serve on a free port of the loopback interface."""
    gc.disable()  # a run takes seconds, and garbage collection a tenth of them
    _messages_alone()
    from pulumi.runtime.proto import provider_pb2_grpc

    from toolchain.standin.provider import Provider, plugin_version

    options = [("grpc.max_receive_message_length", MESSAGE_BYTES), ("grpc.max_send_message_length", MESSAGE_BYTES)]
    server = grpc.server(ThreadPoolExecutor(PARALLEL), options=options)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Provider(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stderr.write(f"a stand-in serves for Pulumi's Docker plugin v{plugin_version()}\n")
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    signal.signal(signal.SIGTERM, lambda *_: server.stop(grace=None))
    engine = os.getppid()
    while server.wait_for_termination(timeout=ORPHAN_SECONDS) and os.getppid() == engine:
        pass


def _messages_alone() -> None:
    """Import only the messages of Pulumi's SDK, whose other modules take two fifths of the time of the start."""
    found = importlib.util.find_spec("pulumi")
    assert found is not None  # noqa: S101 - a dependency
    for folder in found.submodule_search_locations or ():
        for name in ("pulumi", "pulumi.runtime"):
            package = ModuleType(name)
            package.__path__ = [os.path.join(os.path.dirname(folder), *name.split("."))]  # noqa: PTH118, PTH120
            sys.modules[name] = package


if __name__ == "__main__":
    main()
