"""What differs between a container as it is declared and as Docker has it.

Whatever is not declared must be as Docker or the image sets it: a limit, a mount or a capability that somebody added
is a difference like one that was removed.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_MIB: Final = 1024 * 1024

_UNITS: Final = {"ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}

Inputs = Mapping[str, Any]
"""The inputs of a declared container, as the Docker provider names them."""

Seen = Mapping[str, Any]
"""A container, or an image, as Docker describes it."""

_UNSET: Final = (
    *("CpuShares", "CpuPeriod", "CpuQuota", "CpuRealtimePeriod", "CpuRealtimeRuntime", "CpusetCpus", "CpusetMems"),
    *("BlkioWeight", "PidsLimit", "OomKillDisable", "OomScoreAdj", "CgroupParent", "UTSMode", "UsernsMode"),
    *("Privileged", "PublishAllPorts", "AutoRemove", "VolumesFrom", "Links", "Dns", "DnsSearch", "DnsOptions"),
    *("DeviceRequests", "DeviceCgroupRules", "GroupAdd", "Sysctls", "StorageOpt", "Mounts"),
)
"""Settings of Docker that no service declares: they must be absent."""

_NO_SWAP_LIMIT: Final = -1
"""The limit of memory and swap where the kernel has none."""

_DESKTOP: Final = "desktop.docker.io/"
"""Begin of labels that Docker Desktop adds to containers."""

_LONGEST: Final = 120
"""Maximum characters of a value that are shown."""

_SHARED: Final = ("host", "container:")
"""Begin of the modes in which a container shares a namespace with the host or another container."""


@dataclass(frozen=True, kw_only=True)
class Drift:
    """One property: its name, its value as it is declared, and as it is."""

    name: str
    wanted: Any
    found: Any

    def __str__(self) -> str:
        """The difference on one line; of variables and labels only the names, as a value may be a password."""
        if isinstance(self.wanted, dict) and isinstance(self.found, dict):
            names = [
                *(f"+{name}" for name in sorted(self.found.keys() - self.wanted.keys())),
                *(f"-{name}" for name in sorted(self.wanted.keys() - self.found.keys())),
                *(
                    name
                    for name in sorted(self.wanted)
                    if self.found.get(name, self.wanted[name]) != self.wanted[name]
                ),
            ]
            return f"{self.name} differs in {_shown(names)}"
        if isinstance(self.wanted, list) and isinstance(self.found, list):
            changes = [f"+{_item(one)}" for one in self.found if one not in self.wanted]
            changes += [f"-{_item(one)}" for one in self.wanted if one not in self.found]
            return f"{self.name} differs: {_shown(changes or ['the order'])}"
        return f"{self.name} is {_shown(self.found)}, declared {_shown(self.wanted)}"


def drifts(inputs: Inputs, seen: Seen, image: Seen | None, resolve: Callable[[str], str] = str) -> list[Drift]:
    """The differences of a container, in order of importance.

    `image` is the image of the declared reference, None where Docker no longer has it: then what comes from the image
    is not compared. `resolve` returns the value of a variable that is the output of another resource.
    """
    host = seen["HostConfig"]
    pairs = [
        *_of_image(inputs, seen, image, resolve),
        ("user", inputs.get("user") or (image or {}).get("Config", {}).get("User", ""), seen["Config"]["User"]),
        ("privileged", bool(inputs.get("privileged")), bool(host.get("Privileged"))),
        *_confinement(inputs, host),
        ("mounts", *_mounts(inputs, seen, image)),
        ("networks", *_networks(inputs, seen)),
        ("ports", _wanted_ports(inputs), _ports(host)),
        *_limits(inputs, host),
        ("restart policy", _restart(inputs.get("restart"), inputs.get("maxRetryCount")), _restarts(host)),
        ("log driver", _log(inputs.get("logDriver"), inputs.get("logOpts")), _logs(host)),
        (
            "hosts",
            sorted(f"{one['host']}:{one['ip']}" for one in inputs.get("hosts") or ()),
            _sorted(host, "ExtraHosts"),
        ),
    ]
    found = [Drift(name=name, wanted=wanted, found=is_) for name, wanted, is_ in pairs if wanted != is_]
    declared = {"Privileged", *_declared(inputs)}
    found += [
        Drift(name=name, wanted=None, found=host[name])
        for name in _UNSET
        if name not in declared and host.get(name) not in (None, 0, "", False, [], {}, -1)
    ]
    return found


Pairs = Iterator[tuple[str, Any, Any]]


def _of_image(inputs: Inputs, seen: Seen, image: Seen | None, resolve: Callable[[str], str]) -> Pairs:
    """Properties that a container inherits from its image unless they are declared."""
    config = seen["Config"]
    if image is not None:
        yield "image", image["Id"], seen["Image"]
    own = (image or {}).get("Config") or {}
    entrypoint, command = inputs.get("entrypoints"), inputs.get("command")
    if entrypoint or image is not None:
        yield "entry point", list(entrypoint or own.get("Entrypoint") or ()), list(config.get("Entrypoint") or ())
    if command or entrypoint or image is not None:
        inherited = () if entrypoint else own.get("Cmd")
        yield "command", list(command or inherited or ()), list(config.get("Cmd") or ())
    declared = {name: resolve(value) for name, value in _variables(inputs.get("envs") or ()).items()}
    if image is not None:
        yield "environment", {**_variables(own.get("Env") or ()), **declared}, _variables(config.get("Env") or ())
        yield "working folder", inputs.get("workingDir") or own.get("WorkingDir", ""), config.get("WorkingDir", "")
        labels = {one["label"]: one["value"] for one in inputs.get("labels") or ()}
        found = {name: text for name, text in (config.get("Labels") or {}).items() if not name.startswith(_DESKTOP)}
        yield "labels", {**(own.get("Labels") or {}), **labels}, found
    check = inputs.get("healthcheck")
    if check or image is not None:
        yield (
            "health check",
            _check(_declared_check(check) if check else own.get("Healthcheck")),
            _check(config.get("Healthcheck")),
        )


def _confinement(inputs: Inputs, host: Seen) -> Pairs:
    capabilities = inputs.get("capabilities") or {}
    for name, key, mine in (("added capabilities", "CapAdd", "adds"), ("dropped capabilities", "CapDrop", "drops")):
        yield name, _capabilities(capabilities.get(mine)), _capabilities(host.get(key))
    # Docker adds this to a container in the host's namespaces.
    added = {"label=disable"} if "host" in (inputs.get("pidMode"), inputs.get("ipcMode")) else set()
    wanted = set(inputs.get("securityOpts") or ())
    yield "security options", sorted(wanted - added), sorted(set(host.get("SecurityOpt") or ()) - added)
    yield "read-only root", bool(inputs.get("readOnly")), bool(host.get("ReadonlyRootfs"))
    for name, key, declared in (("process namespace", "PidMode", "pidMode"), ("IPC namespace", "IpcMode", "ipcMode")):
        yield name, _shared(inputs.get(declared)), _shared(host.get(key))
    yield "network mode", _shared(inputs.get("networkMode")), _shared(host.get("NetworkMode"))
    devices = [
        (one["hostPath"], one.get("containerPath") or one["hostPath"], one.get("permissions") or "rwm")
        for one in inputs.get("devices") or ()
    ]
    found = [
        (one["PathOnHost"], one["PathInContainer"], one["CgroupPermissions"]) for one in host.get("Devices") or ()
    ]
    yield "devices", sorted(devices), sorted(found)
    yield "temporary file systems", dict(inputs.get("tmpfs") or {}), dict(host.get("Tmpfs") or {})


def _limits(inputs: Inputs, host: Seen) -> Pairs:
    memory = (inputs.get("memory") or 0) * _MIB
    yield "memory limit", _size(memory), _size(host.get("Memory") or 0)
    swap = inputs.get("memorySwap") or 0
    if host.get("MemorySwap") != _NO_SWAP_LIMIT:
        yield "memory and swap limit", _size(swap * _MIB if swap > 0 else swap), _size(host.get("MemorySwap") or 0)
    yield (
        "memory reservation",
        _size((inputs.get("memoryReservation") or 0) * _MIB),
        _size(host.get("MemoryReservation") or 0),
    )
    yield "CPU limit", round(float(inputs.get("cpus") or 0), 3), round((host.get("NanoCpus") or 0) / 1e9, 3)
    if inputs.get("cpuShares"):
        yield "CPU shares", inputs["cpuShares"], host.get("CpuShares")
    if inputs.get("ulimits"):
        wanted = sorted((one["name"], one["soft"], one["hard"]) for one in inputs["ulimits"])
        yield "ulimits", wanted, sorted((one["Name"], one["Soft"], one["Hard"]) for one in host.get("Ulimits") or ())


def _declared(inputs: Inputs) -> Iterator[str]:
    """Settings of _UNSET that this container declares; they are compared elsewhere or not at all."""
    for key, name in (("cpuShares", "CpuShares"), ("cpuSet", "CpusetCpus"), ("groupAdds", "GroupAdd")):
        if inputs.get(key):
            yield name
    for key, name in (("dns", "Dns"), ("sysctls", "Sysctls"), ("mounts", "Mounts"), ("usernsMode", "UsernsMode")):
        if inputs.get(key):
            yield name


Mount = tuple[str, str, str, str]


def _mounts(inputs: Inputs, seen: Seen, image: Seen | None) -> tuple[list[Mount], list[Mount]]:
    """Kind, source, folder and access of each mount; anonymous volumes that the image asks for are left out."""
    wanted = []
    for one in inputs.get("volumes") or ():
        kind, source = ("bind", one["hostPath"]) if one.get("hostPath") else ("volume", one.get("volumeName", ""))
        wanted.append((kind, source, one["containerPath"], "read-only" if one.get("readOnly") else "writable"))
    folders = {one[2] for one in wanted}
    # Of an image that is not there any more, the folders are not known.
    asked = (image.get("Config") or {}).get("Volumes") or () if image else [one["Destination"] for one in _all(seen)]
    own = set(asked) - folders
    # A bind mount as it was asked for: an engine in a virtual machine shows its own path.
    binds = {one.split(":")[1]: one.split(":")[0] for one in seen["HostConfig"].get("Binds") or ()}
    found = []
    for one in _all(seen):
        anonymous = one["Type"] == "volume" and re.fullmatch(r"[0-9a-f]{64}", one.get("Name") or "")
        if anonymous and one["Destination"] in own:
            continue
        source = one.get("Name") if one["Type"] == "volume" else binds.get(one["Destination"], one.get("Source"))
        access = "writable" if one.get("RW") else "read-only"
        found.append((one["Type"], str(source), one["Destination"], access))
    return sorted(wanted), sorted(found)


def _all(seen: Seen) -> Sequence[Mapping[str, Any]]:
    return seen.get("Mounts") or ()


def _networks(inputs: Inputs, seen: Seen) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """The networks, and the names that the container has in each; not those that Docker gives it."""
    given = {str(seen.get("Name", "")).lstrip("/"), seen["Id"][:12], seen["Config"].get("Hostname", "")}
    found = {
        name: sorted(set(end.get("Aliases") or ()) - given)
        for name, end in (seen["NetworkSettings"].get("Networks") or {}).items()
    }
    mode = inputs.get("networkMode")
    declared = inputs.get("networksAdvanced") or ()
    if not declared:
        return {mode or "bridge": []}, found
    return {one["name"]: sorted(set(one.get("aliases") or ()) - given) for one in declared}, found


def _wanted_ports(inputs: Inputs) -> list[str]:
    return sorted(
        f"{one.get('ip') or '0.0.0.0'}:{one.get('external') or 0} to {one['internal']}/{one.get('protocol') or 'tcp'}"  # noqa: S104 - what Docker means
        for one in inputs.get("ports") or ()
    )


def _ports(host: Seen) -> list[str]:
    return sorted(
        f"{one.get('HostIp') or '0.0.0.0'}:{one.get('HostPort') or 0} to {port}"  # noqa: S104 - what Docker means
        for port, bound in (host.get("PortBindings") or {}).items()
        for one in bound or ()
    )


def _restart(name: str | None, count: int | None) -> str:
    return (name or "no") + (f", {count} times" if count else "")


def _restarts(host: Seen) -> str:
    policy = host.get("RestartPolicy") or {}
    return _restart(policy.get("Name"), policy.get("MaximumRetryCount"))


def _log(driver: str | None, options: Mapping[str, str] | None) -> tuple[str, dict[str, str]]:
    return driver or "", dict(options or {})


def _logs(host: Seen) -> tuple[str, dict[str, str]]:
    config = host.get("LogConfig") or {}
    return _log(config.get("Type"), config.get("Config"))


def _sorted(host: Seen, key: str) -> list[str]:
    return sorted(host.get(key) or ())


def _capabilities(names: Sequence[str] | None) -> list[str]:
    return sorted(name.upper().removeprefix("CAP_") for name in names or ())


def _shared(mode: str | None) -> str:
    """The mode where it shares a namespace, or has none; else empty."""
    return mode if mode and (mode.startswith(_SHARED) or mode == "none") else ""


def _variables(lines: Sequence[str]) -> dict[str, str]:
    return dict(line.partition("=")[::2] for line in lines)


def _declared_check(check: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Test": check.get("tests"),
        "Interval": _nanoseconds(check.get("interval")),
        "Timeout": _nanoseconds(check.get("timeout")),
        "StartPeriod": _nanoseconds(check.get("startPeriod")),
        "Retries": check.get("retries"),
    }


def _check(check: Mapping[str, Any] | None) -> dict[str, Any]:
    """A health check without what is at its default."""
    known = ("Test", "Interval", "Timeout", "StartPeriod", "Retries")
    return {key: check[key] for key in known if check.get(key)} if check else {}


def _nanoseconds(duration: str | None) -> int:
    parts = re.findall(r"([0-9.]+)(ms|s|m|h)", duration or "")
    return round(sum(float(number) * _UNITS[unit] for number, unit in parts))


def _size(amount: int) -> str:
    return f"{amount // _MIB} MiB" if amount > 0 else ("none" if amount == 0 else "unlimited")


def _item(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _shown(value: Any) -> str:  # noqa: ANN401 - any JSON
    """A value on one line, shortened."""
    text = ", ".join(map(_item, value)) if isinstance(value, list) else _item("" if value is None else value)
    text = " ".join(text.split()) or "none"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
