"""The stand-in refuses by name what it does not support, and never ignores it."""

from collections.abc import Callable
from unittest.mock import create_autospec

import grpc  # type: ignore[import-untyped]  # it ships no types
import pulumi_docker as docker
import pytest
from google.protobuf import json_format, struct_pb2
from pulumi.runtime.proto import provider_pb2

from tests.contract.lab import Lab, Plugin
from toolchain.standin.provider import Provider


class RefusedError(Exception):
    """The call returned an error."""


def context() -> grpc.ServicerContext:
    """Return a call's context that raises the error it is given."""
    made = create_autospec(grpc.ServicerContext)
    made.abort.side_effect = lambda _, details: throw(details)
    return made


def throw(details: str) -> None:
    raise RefusedError(details)


def check(token: str, inputs: dict[str, object]) -> list[str]:
    """Return the reasons for which the stand-in refuses inputs."""
    request = provider_pb2.CheckRequest(
        urn=f"urn:pulumi:test::contract::{token}::name", news=json_format.ParseDict(inputs, struct_pb2.Struct())
    )
    return [failure.reason for failure in Provider().Check(request, context()).failures]


@pytest.mark.parametrize(
    ("inputs", "named"),
    [
        ({"gpus": "all"}, "gpus"),
        ({"uploads": [{"file": "/a", "content": "a", "owner": "me"}]}, "uploads[0].owner"),
        ({"healthcheck": {"tests": ["NONE"], "colour": "red"}}, "healthcheck.colour"),
        ({"exitCode": 3}, "exitCode"),
    ],
)
def test_an_unknown_property_is_refused_by_name(inputs: dict[str, object], named: str) -> None:
    reasons = check("docker:index/container:Container", {"name": "any", "image": "any", **inputs})
    assert len(reasons) == 1
    assert f"does not know the property {named} of the container" in reasons[0]


def test_a_name_is_required() -> None:
    assert check("docker:index/volume:Volume", {}) == ["the volume needs the property name"]


def test_known_properties_are_not_refused() -> None:
    assert check("docker:index/network:Network", {"name": "any", "internal": True, "__defaults": []}) == []


def test_an_unknown_resource_type_is_refused_by_name() -> None:
    with pytest.raises(RefusedError, match="does not know the resource type docker:index/secret:Secret"):
        check("docker:index/secret:Secret", {"name": "any"})


def test_an_unknown_function_is_refused_by_name() -> None:
    with pytest.raises(RefusedError, match="does not know the function docker:index/getNetwork:getNetwork"):
        Provider().Invoke(provider_pb2.InvokeRequest(tok="docker:index/getNetwork:getNetwork"), context())


def test_an_unknown_setting_of_the_provider_is_refused_by_name() -> None:
    news = json_format.ParseDict({"host": "unix:///any", "context": "any"}, struct_pb2.Struct())
    failures = Provider().CheckConfig(provider_pb2.CheckRequest(news=news), context()).failures
    assert [failure.property for failure in failures] == ["context"]


def test_the_refusal_is_shown_at_preview(make_lab: Callable[[str], Lab], plugin: Plugin, image: str) -> None:
    if plugin.name != "stand-in":
        pytest.skip("the official Docker plugin knows all properties")
    lab = make_lab("refusals")

    def program() -> None:
        docker.Container("container", name=lab.name("container"), image=image, gpus="all")

    run = lab.preview(program)
    assert run.failed
    assert "does not know the property gpus of the container" in run.output
