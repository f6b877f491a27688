"""Many engines run in one process, each at a port of its own; Linux gives a port again."""

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import grpc  # type: ignore[import-untyped]
import pytest
from pulumi.runtime.proto.engine_pb2 import GetRootResourceRequest
from pulumi.runtime.settings import Settings

from tests.ports import free_port


def ask(settings: Settings) -> grpc.StatusCode:
    """The refusal of a call to the engine of these settings."""
    assert settings.engine is not None
    with pytest.raises(grpc.RpcError) as refused:
        settings.engine.GetRootResource(GetRootResourceRequest())
    code: grpc.StatusCode = refused.value.code()
    return code


def at_one_port() -> None:
    address = f"127.0.0.1:{free_port()}"
    dead = Settings("test", "test", engine=address)
    assert ask(dead) == grpc.StatusCode.UNAVAILABLE
    server = grpc.server(ThreadPoolExecutor(1))
    server.add_insecure_port(address)
    server.start()
    try:
        # This server knows no call.
        assert ask(Settings("test", "test", engine=address)) == grpc.StatusCode.UNIMPLEMENTED
    finally:
        server.stop(None)


def test_an_engine_at_the_port_of_one_that_ended_is_reached() -> None:
    copy_context().run(at_one_port)
