"""Serve the stand-in as the Pulumi engine expects it of a plugin: print the port, serve calls until stopped."""

import gc
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import grpc  # type: ignore[import-untyped]  # it ships no types
from pulumi.runtime.proto import provider_pb2_grpc

from toolchain.standin.provider import Provider, plugin_version

MESSAGE_BYTES: Final = 400 * 1024 * 1024
"""The maximum size of a message in Pulumi."""
ORPHAN_SECONDS: Final = 5.0
"""How long the plugin still runs after its engine was killed."""
PARALLEL: Final = 64
"""Calls served at a time: some wait for containers, and the others must not wait for them."""


def main() -> None:
    """Serve on a free port of the loopback interface."""
    gc.disable()  # a run takes seconds, and garbage collection a tenth of them
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


if __name__ == "__main__":
    main()
