"""`obs host`: other machines of a stack, each with an agent that sends to the stack's edge."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from observability.cli.common import AsJson, Stack, err, out, print_rows
from observability.core.errors import ConfigError
from observability.core.naming import PROJECT
from observability.settings import load

if TYPE_CHECKING:
    import docker

app = typer.Typer(help="Other hosts: each gets an agent that sends its metrics and logs.", no_args_is_help=True)

_STATES: Final = {"reachable": "green", "unreachable": "red"}

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the host, in the label `host`.")]


@app.command("add")
def add(
    name: Name,
    engine: Annotated[
        str, typer.Option("--docker", help="Its Docker Engine: ssh://user@host, tcp://host:port or unix:///path.")
    ],
    stack: Stack = "dev",
    address: Annotated[
        str | None, typer.Option("--address", help="Address by which targets on it are scraped, if not that of ssh.")
    ] = None,
    tls: Annotated[
        str | None, typer.Option("--tls", help="For tcp://: folder with ca.pem, cert.pem and key.pem.")
    ] = None,
    subnet: Annotated[str | None, typer.Option("--subnet", help="Network of the agent's containers there.")] = None,
    edge: Annotated[
        str | None, typer.Option("--edge", help="Name or address by which the host reaches this stack.")
    ] = None,
) -> None:
    """Check the way to a host, and write it into the stack's file; the next `up` brings the agent."""
    from observability.settings.edit import put

    path = load.stack_file(stack)
    text = path.read_text(encoding="utf-8")
    before = load.from_file(stack, complete=False).settings
    if name in before.hosts:
        raise ConfigError(f"{path.name}: {PROJECT}:hosts.{name} is there already", "edit it there")
    given = {"docker": engine, "tls": tls, "address": address, "subnet": subnet}
    own = {key: value for key, value in given.items() if value is not None}
    if edge is not None:
        if before.edge.address is not None:
            raise ConfigError(f"{path.name}: {PROJECT}:edge.address is there already", "leave out --edge")
        text = put(path.name, text, ("config", f"{PROJECT}:edge", "address"), edge)
    elif before.edge.address is None:
        raise ConfigError(
            f"{path.name}: has no {PROJECT}:edge.address, by which {name} reaches this stack",
            "add --edge ADDRESS, like --edge monitoring.example.com",
        )
    text = put(path.name, text, ("config", f"{PROJECT}:hosts", name), own)
    _check_way(name, own, _would_be(stack, name, own, edge))
    path.write_text(text, encoding="utf-8")
    out.print(f"{path.name}: {PROJECT}:hosts.{name} written", markup=False)
    out.print(f"next: ./obs up {stack}, which brings the agent to {name}", markup=False)


def _would_be(stack: str, name: str, own: Mapping[str, Any], edge: str | None) -> load.StackConfig:
    """The stack's configuration with one more host; ConfigError where the settings refuse it."""
    document = load.read_stack_file(stack).get("config") or {}
    secrets = load.secret_specs({})
    values = {
        key.removeprefix(f"{PROJECT}:"): value for key, value in document.items() if key.startswith(f"{PROJECT}:")
    }
    values = {key: value for key, value in values.items() if key not in secrets and not _is_secret(value)}
    values["hosts"] = {**(values.get("hosts") or {}), name: dict(own)}
    if edge is not None:
        values["edge"] = {**(values.get("edge") or {}), "address": edge}
    return load.validate(stack, values, frozenset(), complete=False)


def _is_secret(value: object) -> bool:
    return isinstance(value, dict) and value.keys() == {"secure"}


def _check_way(name: str, own: Mapping[str, Any], config: load.StackConfig) -> None:
    """ConfigError where the engine does not answer, is the stack's own, or has no room for the network."""
    from observability.operations import hosts, preflight

    there = hosts.connect(config.settings.hosts[name])
    here = preflight.connect()
    version, local = there.version(), here.version()
    if there.info().get("ID") == here.info().get("ID"):
        raise ConfigError(
            f"{own['docker']} is the engine that the stack itself runs on", "it is watched without being listed"
        )
    err.print(f"  {name}: Docker {version['Version']}, {version['Os']}/{version['Arch']}", markup=False)
    preflight.check_network(config.on(name), there, f"hosts.{name}.subnet")
    lacking = _built_for_another(there, here, config.on(name)) if version["Arch"] != local["Arch"] else []
    if lacking:
        raise ConfigError(
            f"{name} is {version['Arch']}, and {', '.join(lacking)} was built here for {local['Arch']}",
            "let it pull the images from a registry: they are not copied then",
        )


def _built_for_another(
    there: "docker.DockerClient", here: "docker.DockerClient", config: load.StackConfig
) -> list[str]:
    """Images of the agent that would be copied from here."""
    from observability.operations import hosts

    return [one for one in hosts.agent_images(config) if hosts.is_copied(there, here, one)]


@app.command("list")
def list_hosts(stack: Stack = "dev", as_json: AsJson = False) -> None:
    """List the hosts: whether their Docker answers, which containers of the agent run, and what arrived last."""
    from observability.cli.look import load_all
    from observability.operations.host_report import report

    config, rules = load_all(stack)
    rows = report(config, rules)
    if not rows and not as_json:
        out.print(f"{stack} has no other hosts; ./obs host add NAME --docker ssh://root@ADDRESS {stack} adds one")
        return
    ages = ("last_sample", "last_line")
    shown = (
        rows
        if as_json
        else [{key: _ago(value) if key in ages else value for key, value in row.items()} for row in rows]
    )
    print_rows(shown, as_json=as_json, colours=_STATES)
    if not all(row["ok"] for row in rows):
        raise typer.Exit(1)


def _ago(seconds: int | None) -> str:
    return "none" if seconds is None else f"{seconds} s ago"


@app.command("remove")
def remove(
    name: Name,
    stack: Stack = "dev",
    forget: Annotated[
        bool, typer.Option("--forget", help="The host is gone for good: remove its agent from the record alone.")
    ] = False,
) -> None:
    """Take a host out of the stack's file; the next `up` removes its agent and refuses its credential."""
    from observability.operations import hosts
    from observability.settings.edit import take_out

    path = load.stack_file(stack)
    config = load.from_file(stack, complete=False)
    if name not in config.settings.hosts:
        known = ", ".join(config.settings.hosts) or "none"
        raise ConfigError(f"{stack} has no host {name!r}", f"its hosts: {known}")
    text = take_out(path.name, path.read_text(encoding="utf-8"), ("config", f"{PROJECT}:hosts", name))
    if forget:
        count = _forgotten(name, stack)
        out.print(f"{stack}: {count} resources of {name} taken out of the record; what is left on it is its own")
    else:
        try:
            hosts.connect(config.settings.hosts[name])
        except ConfigError as error:
            raise ConfigError(
                f"{error.what}, so its agent cannot be removed",
                f"start it; or, if it is gone for good: ./obs host remove {name} {stack} --forget",
            ) from error
    path.write_text(text, encoding="utf-8")
    out.print(f"{path.name}: {PROJECT}:hosts.{name} taken out", markup=False)
    out.print(f"next: ./obs up {stack}" + ("" if forget else f", which removes the agent from {name}"), markup=False)


def _forgotten(name: str, stack: str) -> int:
    """Take a host's agent out of the engine's record."""
    from observability.operations.operation import Operation

    return Operation.prepare(stack, err, complete=False).engine.forget_host(name)
