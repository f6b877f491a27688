"""From a container's inputs to the body of Docker's "create a container" call, and to the files uploaded to it."""

import base64
import io
import re
import tarfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from toolchain.standin.docker_api import ResourceError
from toolchain.standin.schema import Props

MEGABYTE: Final = 1024 * 1024
_NANOSECONDS: Final = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}


def nanoseconds(duration: str) -> int:
    """Return a duration such as "1m30s" in nanoseconds."""
    parts = re.findall(r"([0-9.]+)(ns|us|µs|ms|s|m|h)", duration)
    return round(sum(float(number) * _NANOSECONDS[unit] for number, unit in parts))


def megabytes(amount: int | None) -> int:
    """Return an amount of memory in bytes; -1 means unlimited and stays so."""
    return amount * MEGABYTE if amount and amount > 0 else amount or 0


def create_body(inputs: Props) -> Props:
    """Return the body of the request that creates the container."""
    bindings, exposed = _ports(inputs.get("ports", []))
    binds, mount_points = _volumes(inputs.get("volumes", []))
    if "" in inputs.get("command", []):
        raise ResourceError("Unable to create container: no item of its command may be empty")
    return _without_empty(
        {
            "Image": inputs["image"],
            "Hostname": inputs.get("hostname"),
            "Domainname": inputs.get("domainname"),
            "Tty": inputs["tty"],
            "OpenStdin": inputs["stdinOpen"],
            "StopSignal": inputs.get("stopSignal"),
            "StopTimeout": inputs.get("stopTimeout"),
            "Env": inputs.get("envs"),
            "Cmd": inputs.get("command"),
            "Entrypoint": inputs.get("entrypoints"),
            "User": inputs.get("user"),
            "ExposedPorts": exposed,
            "WorkingDir": inputs.get("workingDir"),
            "Volumes": mount_points,
            "Labels": {item["label"]: item["value"] for item in inputs.get("labels", [])},
            "Healthcheck": _healthcheck(inputs.get("healthcheck")),
            "HostConfig": _host_config(inputs) | _without_empty({"Binds": binds, "PortBindings": bindings}),
        }
    )


def _host_config(inputs: Props) -> Props:
    capabilities = inputs.get("capabilities") or {}
    security = inputs.get("securityOpts", [])
    unconfined = "systempaths=unconfined" in security
    config = _without_empty(
        {
            "Privileged": inputs.get("privileged"),
            "PublishAllPorts": inputs.get("publishAllPorts"),
            "Runtime": inputs.get("runtime"),
            "Mounts": [_mount(mount) for mount in inputs.get("mounts", [])],
            "AutoRemove": inputs["rm"],
            "ReadonlyRootfs": inputs["readOnly"],
            "LogConfig": _without_empty({"Type": inputs.get("logDriver"), "Config": inputs.get("logOpts")}),
            "Tmpfs": inputs.get("tmpfs"),
            "ExtraHosts": [f"{item['host']}:{item['ip']}" for item in inputs.get("hosts", [])],
            "Ulimits": [
                {"Name": item["name"], "Soft": item["soft"], "Hard": item["hard"]}
                for item in inputs.get("ulimits", [])
            ],
            "CapAdd": capabilities.get("adds"),
            "CapDrop": capabilities.get("drops"),
            "Devices": [_device(device) for device in inputs.get("devices", [])],
            "Dns": inputs.get("dns"),
            "DnsOptions": inputs.get("dnsOpts"),
            "DnsSearch": inputs.get("dnsSearches"),
            "SecurityOpt": [option for option in security if option != "systempaths=unconfined"],
            "Memory": megabytes(inputs.get("memory")),
            "MemoryReservation": megabytes(inputs.get("memoryReservation")),
            "MemorySwap": megabytes(inputs.get("memorySwap")),
            "ShmSize": megabytes(inputs.get("shmSize")),
            "NanoCpus": round(float(inputs.get("cpus") or 0) * 10**9),
            "CpuShares": inputs.get("cpuShares"),
            "CpusetCpus": inputs.get("cpuSet"),
            "NetworkMode": inputs.get("networkMode"),
            "UsernsMode": inputs.get("usernsMode"),
            "PidMode": inputs.get("pidMode"),
            "Sysctls": inputs.get("sysctls"),
            "IpcMode": inputs.get("ipcMode"),
            "GroupAdd": inputs.get("groupAdds"),
        }
    )
    config["RestartPolicy"] = restart_policy(inputs)
    config["Init"] = bool(inputs.get("init"))
    if unconfined:
        config |= {"MaskedPaths": [], "ReadonlyPaths": []}
    return config


def restart_policy(inputs: Mapping[str, Any]) -> Props:
    """Return Docker's restart policy for the inputs."""
    return {"Name": inputs["restart"], "MaximumRetryCount": inputs.get("maxRetryCount") or 0}


def _ports(ports: list[Props]) -> tuple[Props, Props]:
    bindings: dict[str, list[Props]] = {}
    for port in ports:
        binding = {"HostIp": port["ip"], "HostPort": str(port.get("external") or 0)}
        bindings.setdefault(f"{port['internal']}/{port['protocol']}", []).append(binding)
    return bindings, {key: {} for key in bindings}


def _volumes(volumes: list[Props]) -> tuple[list[str], Props]:
    binds = []
    for volume in volumes:
        if not volume.get("containerPath"):
            raise ResourceError("Unable to create container: a volume lacks its containerPath")
        if source := volume.get("hostPath") or volume.get("volumeName"):
            binds.append(f"{source}:{volume['containerPath']}:{'ro' if volume.get('readOnly') else 'rw'}")
    return binds, {volume["containerPath"]: {} for volume in volumes}


def _mount(mount: Props) -> Props:
    bind, tmpfs = mount.get("bindOptions"), mount.get("tmpfsOptions")
    return _without_empty(
        {
            "Type": mount["type"],
            "Target": mount["target"],
            "Source": mount.get("source"),
            "ReadOnly": mount.get("readOnly"),
            "BindOptions": bind and {"Propagation": bind.get("propagation", "")},
            "TmpfsOptions": tmpfs and {"SizeBytes": tmpfs.get("sizeBytes", 0), "Mode": tmpfs.get("mode", 0)},
        }
    )


def _device(device: Props) -> Props:
    return {
        "PathOnHost": device["hostPath"],
        "PathInContainer": device.get("containerPath") or device["hostPath"],
        "CgroupPermissions": device["permissions"],
    }


def _healthcheck(check: Props | None) -> Props | None:
    if not check:
        return None
    return _without_empty(
        {
            "Test": check.get("tests"),
            "Interval": nanoseconds(check["interval"]),
            "Timeout": nanoseconds(check["timeout"]),
            "StartPeriod": nanoseconds(check["startPeriod"]),
            "StartInterval": nanoseconds(check["startInterval"]),
            "Retries": check["retries"],
        }
    )


def endpoint(network: Props) -> Props:
    """Return how the container is joined to a network: the arguments of the client's "connect" call."""
    return _without_empty(
        {
            "aliases": network.get("aliases"),
            "ipv4_address": network.get("ipv4Address"),
            "ipv6_address": network.get("ipv6Address"),
        }
    )


def archive(uploads: Iterable[Props]) -> bytes:
    """Return a tar archive of files: owned by root, mode 0644, 0744 if executable, or as `permissions` says."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for upload in uploads:
            content = _uploaded(upload)
            entry = tarfile.TarInfo(upload["file"].lstrip("/"))
            entry.size = len(content)
            entry.mtime = int(time.time())
            entry.mode = int(upload.get("permissions") or ("0744" if upload["executable"] else "0644"), 8)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _uploaded(upload: Props) -> bytes:
    given = [key for key in ("content", "contentBase64", "source") if upload.get(key)]
    if len(given) != 1:
        wrong = " and ".join(given) or "none"
        raise ResourceError(
            f"the upload {upload['file']} must have exactly one of content, contentBase64 and source, it has {wrong}"
        )
    return _content(given[0], upload[given[0]])


def _content(kind: str, value: str) -> bytes:
    if kind == "contentBase64":
        return base64.b64decode(value)
    if kind == "content":
        return value.encode()
    try:
        return Path(value).read_bytes()
    except OSError as error:
        raise ResourceError(f"could not read the file to upload: {error}") from error


def _without_empty(body: Props) -> Props:
    return {key: value for key, value in body.items() if value not in (None, "", 0, False, [], {})}
