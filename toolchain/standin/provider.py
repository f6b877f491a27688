"""The plugin's side of Pulumi's provider protocol: checks, differences, and dispatch to the resources."""
# ruff: noqa: ARG002, N802 - the protocol fixes the methods' names and parameters

from collections.abc import Callable, Mapping
from functools import wraps
from importlib.metadata import version
from typing import Any, Final, TypeVar

import grpc  # type: ignore[import-untyped]  # it ships no types
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

from toolchain.standin import configuration
from toolchain.standin.container import Container
from toolchain.standin.docker_api import DockerApi, ResourceError
from toolchain.standin.network import Network
from toolchain.standin.resource import Partial, Resource
from toolchain.standin.schema import Props, changed, complete, failures, later, unknown
from toolchain.standin.volume import Volume

RESOURCES: Final[Mapping[str, Resource]] = {
    "docker:index/network:Network": Network(),
    "docker:index/volume:Volume": Volume(),
    "docker:index/container:Container": Container(),
}
SOME: Final = provider_pb2.DiffResponse.DIFF_SOME
NONE: Final = provider_pb2.DiffResponse.DIFF_NONE
CREATE_SECONDS: Final = 20 * 60
"""For how long an attached container may run, unless the program's custom timeouts say otherwise."""

Request = TypeVar("Request")
Response = TypeVar("Response")
Method = Callable[["Provider", Request, grpc.ServicerContext], Response]


def plugin_version() -> str:
    """Return the version of the official plugin that this replaces: that of the installed SDK."""
    return version("pulumi-docker")


def _answering(method: Method[Request, Response]) -> Method[Request, Response]:
    """Turn errors into the protocol's: a plain one, or "exists but failed", which keeps the resource in the state."""

    @wraps(method)
    def call(self: "Provider", request: Request, context: grpc.ServicerContext) -> Response:
        try:
            return method(self, request, context)
        except ResourceError as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        except Partial as partial:
            status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=partial.reason)
            status.details.add().Pack(
                provider_pb2.ErrorResourceInitFailed(
                    id=partial.key, properties=_struct(partial.state), reasons=[partial.reason]
                )
            )
            context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
            context.abort(grpc.StatusCode.UNKNOWN, partial.reason)
        raise AssertionError("abort raises")

    return call


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """Serves the Pulumi engine; each call comes on its own thread."""

    def __init__(self) -> None:
        self._docker = DockerApi()

    def GetPluginInfo(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        """Return the version."""
        return plugin_pb2.PluginInfo(version=plugin_version())

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """End all waiting."""
        self._docker.cancelled.set()
        return empty_pb2.Empty()

    def CheckConfig(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        """Accept the engine and the way to it; refuse any other setting by name."""
        response = provider_pb2.CheckResponse(inputs=request.news)
        for name, reason in configuration.failures(_props(request.news)):
            response.failures.add(property=name, reason=reason)
        return response

    def DiffConfig(
        self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        """Compare two configurations; none replaces the provider, and with it every resource."""
        same = _props(request.old_inputs or request.olds) == _props(request.news)
        return provider_pb2.DiffResponse(changes=NONE if same else SOME)

    @_answering
    def Configure(
        self, request: provider_pb2.ConfigureRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ConfigureResponse:
        """Connect to the Docker host. The engine handles secrets: it marks the outputs of secret inputs."""
        given = _props(request.args)
        if not any(unknown(value) for value in given.values()):
            host = given.get("host") or request.variables.get("docker:config:host")
            self._docker.access = configuration.access({**given, "host": host})
            if not self._docker.access.lazy:
                self._docker.client()
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    @_answering
    def Invoke(
        self, request: provider_pb2.InvokeRequest, context: grpc.ServicerContext
    ) -> provider_pb2.InvokeResponse:
        """Refuse every function by name."""
        raise ResourceError(f"the stand-in for the Docker plugin does not know the function {request.tok}")

    @_answering
    def Check(self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        """Refuse inputs that are unknown or invalid."""
        resource, news = _resource(request.urn), _props(request.news)
        response = provider_pb2.CheckResponse(inputs=request.news)
        for name, reason in failures(resource.table, news, resource.label):
            response.failures.add(property=name, reason=reason)
        return response

    @_answering
    def Diff(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        """Compare the recorded state with the new inputs."""
        resource, olds, news = _resource(request.urn), _props(request.olds), _props(request.news)
        ignored = {path.partition(".")[0].partition("[")[0] for path in request.ignoreChanges}
        news = complete(resource.table, news)
        names = [name for name in changed(resource.table, olds, news) if name not in ignored]
        replaces = [name for name in names if resource.table[name].replaces]
        response = provider_pb2.DiffResponse(
            changes=SOME if names else NONE,
            diffs=names,
            replaces=replaces,
            deleteBeforeReplace=bool(replaces),
            hasDetailedDiff=True,
        )
        for name in names:
            kind = "ADD" if name not in olds else "UPDATE" if name in news else "DELETE"
            kind += "_REPLACE" if name in replaces else ""
            response.detailedDiff[name].kind = provider_pb2.PropertyDiff.Kind.Value(kind)
        return response

    @_answering
    def Create(
        self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CreateResponse:
        """Create the resource, or in a preview mark what is not known yet.

        A set is recorded as the program gave it; Docker's form of it shows at the first refresh.
        """
        resource = _resource(request.urn)
        inputs = complete(resource.table, _props(request.properties))
        if request.preview:
            return provider_pb2.CreateResponse(properties=_struct(later(resource.table, inputs)))
        key, state = resource.create(self._docker, inputs, request.timeout or CREATE_SECONDS)
        sets = {name: inputs[name] for name, prop in resource.table.items() if prop.kind == "set" and name in inputs}
        return provider_pb2.CreateResponse(id=key, properties=_struct(state | sets))

    @_answering
    def Read(self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext) -> provider_pb2.ReadResponse:
        """Return the current state of the resource; without an id if it no longer exists."""
        resource, inputs = _resource(request.urn), _props(request.inputs)
        state = resource.read(self._docker, request.id, _props(request.properties))
        if state is None:
            return provider_pb2.ReadResponse()
        drifted = set(changed(resource.table, state, complete(resource.table, inputs)))
        seen = {name: state.get(name) if name in drifted else value for name, value in inputs.items()}
        return provider_pb2.ReadResponse(id=request.id, properties=_struct(state), inputs=_struct(seen))

    @_answering
    def Update(
        self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.UpdateResponse:
        """Change the resource in place."""
        resource, olds = _resource(request.urn), _props(request.olds)
        inputs = complete(resource.table, _props(request.news))
        changes = changed(resource.table, olds, inputs)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=_struct(olds | inputs))
        state = resource.update(self._docker, request.id, olds, inputs, changes)
        return provider_pb2.UpdateResponse(properties=_struct(state))

    @_answering
    def Delete(self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Remove the resource."""
        _resource(request.urn).delete(self._docker, request.id, _props(request.properties))
        return empty_pb2.Empty()


def _resource(urn: str) -> Resource:
    """Return the resource of the type in a URN: `urn:pulumi:<stack>::<project>::<parents' types>$<type>::<name>`."""
    token = urn.split("::")[2].rpartition("$")[2]
    if token not in RESOURCES:
        raise ResourceError(f"the stand-in for the Docker plugin does not know the resource type {token}")
    return RESOURCES[token]


def _props(struct: struct_pb2.Struct) -> Props:
    props: Props = _whole(json_format.MessageToDict(struct))
    return props


def _whole(value: object) -> Any:  # noqa: ANN401 - what JSON holds
    """Convert whole numbers back to int: the protocol has floating point only."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _whole(item) for name, item in value.items()}
    return [_whole(item) for item in value] if isinstance(value, list) else value


def _struct(props: Props) -> struct_pb2.Struct:
    return json_format.ParseDict(props, struct_pb2.Struct())
