"""From what Docker reports of a container to its state in Pulumi."""

from typing import Any, Final

from toolchain.standin.container_spec import MEGABYTE
from toolchain.standin.schema import Props

_CONFIG: Final = {
    "hostname": "Hostname",
    "domainname": "Domainname",
    "user": "User",
    "workingDir": "WorkingDir",
    "tty": "Tty",
    "stdinOpen": "OpenStdin",
    "stopSignal": "StopSignal",
    "stopTimeout": "StopTimeout",
}
_HOST_CONFIG: Final = {
    "rm": "AutoRemove",
    "readOnly": "ReadonlyRootfs",
    "dns": "Dns",
    "dnsOpts": "DnsOptions",
    "dnsSearches": "DnsSearch",
    "publishAllPorts": "PublishAllPorts",
    "runtime": "Runtime",
    "tmpfs": "Tmpfs",
    "privileged": "Privileged",
    "cpuShares": "CpuShares",
    "cpuSet": "CpusetCpus",
    "networkMode": "NetworkMode",
    "usernsMode": "UsernsMode",
    "sysctls": "Sysctls",
    "ipcMode": "IpcMode",
    "groupAdds": "GroupAdd",
}


def read(state: Props, seen: Props) -> Props:
    """Return the state with the values that Docker reports: environment, labels, volumes and uploads stay as given."""
    config, host = seen["Config"], seen["HostConfig"]
    running = seen["State"]["Running"]
    new = dict(state)
    if state.get("ports") and (running or state.get("mustRun")):
        new["ports"] = _ports(seen["NetworkSettings"].get("Ports") or {})
    if not running:
        new["exitCode"] = seen["State"]["ExitCode"]
        new["mustRun"] = False
    new |= {ours: config.get(docker) for ours, docker in _CONFIG.items()}
    new |= {ours: host.get(docker) for ours, docker in _HOST_CONFIG.items()}
    new |= {
        "envs": state.get("envs", []),
        "labels": state.get("labels", []),
        "securityOpts": host.get("SecurityOpt") or [],
        "command": config.get("Cmd") or [],
        "entrypoints": config.get("Entrypoint") or [],
        "name": seen["Name"].lstrip("/"),
        "image": seen["Image"] if str(state.get("image")).startswith("sha256:") else config["Image"],
        "bridge": seen["NetworkSettings"].get("Bridge", ""),
        "networkDatas": _networks(seen["NetworkSettings"].get("Networks") or {}),
        "restart": host["RestartPolicy"]["Name"],
        "maxRetryCount": host["RestartPolicy"]["MaximumRetryCount"],
        "init": bool(host.get("Init")),
        "mounts": [_mount(mount) for mount in host.get("Mounts") or []],
        "hosts": [_extra_host(entry) for entry in host.get("ExtraHosts") or []],
        "memory": host["Memory"] // MEGABYTE,
        "memoryReservation": host["MemoryReservation"] // MEGABYTE,
        "memorySwap": host["MemorySwap"] // MEGABYTE if host["MemorySwap"] > 0 else host["MemorySwap"],
        "shmSize": host["ShmSize"] // MEGABYTE,
        "logDriver": host["LogConfig"]["Type"],
    }
    new |= _given_only(state, host)
    if check := config.get("Healthcheck"):
        new["healthcheck"] = _healthcheck(check)
    if host.get("CapAdd") or host.get("CapDrop"):
        new["capabilities"] = {"adds": host.get("CapAdd") or [], "drops": host.get("CapDrop") or []}
    if host.get("NanoCpus"):
        new["cpus"] = _decimal(host["NanoCpus"])
    return {key: value for key, value in new.items() if value is not None}


def _given_only(state: Props, host: Props) -> Props:
    """Return the properties that are read only if the program set them, as Docker sets defaults otherwise."""
    new: Props = {}
    if state.get("logOpts"):
        new["logOpts"] = host["LogConfig"].get("Config")
    if state.get("pidMode"):
        new["pidMode"] = host["PidMode"]
    if state.get("ulimits"):
        new["ulimits"] = [
            {"name": item["Name"], "soft": item["Soft"], "hard": item["Hard"]} for item in host.get("Ulimits") or []
        ]
    if devices := state.get("devices"):
        placed = {device["hostPath"] for device in devices if device.get("containerPath")}
        new["devices"] = [_device(device, placed) for device in host.get("Devices") or []]
    return new


def _ports(ports: Props) -> list[Props]:
    found = []
    for key in sorted(ports, key=lambda key: int(key.split("/")[0])):
        internal, protocol = key.split("/")
        found += [
            {
                "internal": int(internal),
                "external": int(binding["HostPort"]),
                "ip": binding["HostIp"],
                "protocol": protocol,
            }
            for binding in ports[key] or []
        ]
    return found


def _networks(networks: Props) -> list[Props]:
    return [
        {
            "networkName": name,
            "ipAddress": network.get("IPAddress", ""),
            "ipPrefixLength": network.get("IPPrefixLen", 0),
            "gateway": network.get("Gateway", ""),
            "globalIpv6Address": network.get("GlobalIPv6Address", ""),
            "globalIpv6PrefixLength": network.get("GlobalIPv6PrefixLen", 0),
            "ipv6Gateway": network.get("IPv6Gateway", ""),
            "macAddress": network.get("MacAddress", ""),
        }
        for name, network in sorted(networks.items())
    ]


def _mount(mount: Props) -> Props:
    found: Props = {
        "target": mount["Target"],
        "source": mount.get("Source", ""),
        "type": mount["Type"],
        "readOnly": mount.get("ReadOnly", False),
    }
    if bind := mount.get("BindOptions"):
        found["bindOptions"] = {"propagation": bind.get("Propagation", "")}
    if tmpfs := mount.get("TmpfsOptions"):
        found["tmpfsOptions"] = {"sizeBytes": tmpfs.get("SizeBytes", 0), "mode": tmpfs.get("Mode", 0)}
    return found


def _device(device: Props, placed: set[str]) -> Props:
    found = {"hostPath": device["PathOnHost"], "permissions": device["CgroupPermissions"]}
    return found | ({"containerPath": device["PathInContainer"]} if device["PathOnHost"] in placed else {})


def _extra_host(entry: str) -> Props:
    host, _, address = entry.partition(":")
    return {"host": host, "ip": address}


def _healthcheck(check: dict[str, Any]) -> Props:
    return {
        "tests": check.get("Test") or [],
        "interval": duration(check.get("Interval", 0)),
        "timeout": duration(check.get("Timeout", 0)),
        "startPeriod": duration(check.get("StartPeriod", 0)),
        "startInterval": duration(check.get("StartInterval", 0)),
        "retries": check.get("Retries", 0),
    }


def _decimal(billionths: int) -> str:
    """Return a number of CPUs as the official plugin writes it: "0.5", but "1.0"."""
    whole, rest = divmod(billionths, 10**9)
    return f"{whole}." + (f"{rest:09d}".rstrip("0") or "0")


def duration(nanoseconds: int) -> str:
    """Return a duration as Docker's own tools write it: 90 s are "1m30s", 60 s "1m0s", half a second "500ms"."""
    if nanoseconds == 0:
        return "0s"
    for unit, size in (("ns", 1), ("µs", 10**3), ("ms", 10**6)):
        if nanoseconds < 1000 * size:
            return f"{nanoseconds / size:.6g}{unit}"
    minutes, rest = divmod(nanoseconds, 60 * 10**9)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest // 10**9}" if rest % 10**9 == 0 else f"{rest / 10**9:.9f}".rstrip("0")
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + f"{seconds}s"
