"""The inputs of the stand-in, as data: names, types, defaults and which ones replace, as in pulumi-docker 5.2.0."""

from types import MappingProxyType
from typing import Final

from toolchain.standin.schema import Property, Table

_DURATION: Final = r"^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$|^0$"

TEXT: Final = Property()
FLAG: Final = Property(kind="boolean")
NUMBER: Final = Property(kind="integer")
MAP: Final = Property(kind="map")
TEXTS: Final = Property(kind="set")
NAME: Final = Property(required=True, pattern="^[a-zA-Z0-9][a-zA-Z0-9_.-]+$")


def _objects(**fields: Property) -> Property:
    return Property(kind="set", fields=fields)


def _in_place(prop: Property) -> Property:
    return Property(kind=prop.kind, replaces=False, default=prop.default, pattern=prop.pattern, minimum=prop.minimum)


_NEEDED: Final = Property(required=True)
_NEEDED_NUMBER: Final = Property(kind="integer", required=True)
_OFF: Final = Property(kind="boolean", default=False)
_AMOUNT: Final = Property(kind="integer", replaces=False, minimum=0)
_LABELS: Final = Property(kind="set", fields={"label": _NEEDED, "value": _NEEDED})
_OUTPUT: Final = Property(output=True, replaces=False)
_DOCKER_TEXT: Final = Property(computed=True)
_DURATIONS: Final = Property(default="0s", pattern=_DURATION)

NETWORK: Final[Table] = MappingProxyType(
    {
        "name": NAME,
        "attachable": FLAG,
        "driver": _DOCKER_TEXT,
        "internal": Property(kind="boolean", computed=True),
        "ipamConfigs": Property(
            kind="set",
            computed=True,
            fields={"subnet": TEXT, "gateway": TEXT, "ipRange": TEXT, "auxAddress": MAP},
        ),
        "ipamDriver": Property(default="default"),
        "ipv6": FLAG,
        "labels": _LABELS,
        "options": Property(kind="map", computed=True),
        "scope": _OUTPUT,
    }
)

VOLUME: Final[Table] = MappingProxyType(
    {"name": NAME, "driver": _DOCKER_TEXT, "driverOpts": MAP, "labels": _LABELS, "mountpoint": _OUTPUT}
)

CONTAINER: Final[Table] = MappingProxyType(
    {
        "name": NAME,
        "image": _NEEDED,
        "attach": _in_place(_OFF),
        "bridge": _OUTPUT,
        "capabilities": Property(kind="set", single=True, fields={"adds": TEXTS, "drops": TEXTS}),
        "command": Property(kind="list", computed=True, recorded=True),
        "containerLogs": _OUTPUT,
        "containerReadRefreshTimeoutMilliseconds": Property(kind="integer", replaces=False, default=15000),
        "cpuSet": Property(replaces=False, pattern=r"^\d+([,-]\d+)*$"),
        "cpuShares": _AMOUNT,
        "cpus": Property(pattern=r"^\d*\.?\d+$"),
        "destroyGraceSeconds": Property(kind="integer", replaces=False),
        "devices": _objects(hostPath=_NEEDED, containerPath=TEXT, permissions=Property(default="rwm")),
        "dns": TEXTS,
        "dnsOpts": TEXTS,
        "dnsSearches": TEXTS,
        "domainname": TEXT,
        "entrypoints": Property(kind="list", computed=True, recorded=True),
        "envs": Property(kind="set", computed=True),
        "exitCode": Property(kind="integer", output=True, replaces=False),
        "groupAdds": TEXTS,
        "healthcheck": Property(
            kind="list",
            single=True,
            computed=True,
            replaces=False,
            fields={
                "tests": Property(kind="list"),
                "interval": _DURATIONS,
                "timeout": _DURATIONS,
                "startPeriod": _DURATIONS,
                "startInterval": _DURATIONS,
                "retries": Property(kind="integer", default=0, minimum=0),
            },
        ),
        "hostname": _DOCKER_TEXT,
        "hosts": _objects(host=_NEEDED, ip=_NEEDED),
        "init": Property(kind="boolean", replaces=False, computed=True),
        "ipcMode": _DOCKER_TEXT,
        "labels": Property(kind="set", computed=True, fields=_LABELS.fields),
        "logDriver": _DOCKER_TEXT,
        "logOpts": MAP,
        "logs": _in_place(_OFF),
        "maxRetryCount": Property(kind="integer", replaces=False),
        "memory": _AMOUNT,
        "memoryReservation": Property(kind="integer", replaces=False, default=0, minimum=0),
        "memorySwap": Property(kind="integer", replaces=False, minimum=-1),
        "mounts": _objects(
            target=_NEEDED,
            type=Property(required=True, pattern="^(bind|volume|tmpfs)$"),
            source=TEXT,
            readOnly=FLAG,
            bindOptions=Property(
                kind="list",
                single=True,
                fields={"propagation": Property(pattern="^(private|rprivate|shared|rshared|slave|rslave)$")},
            ),
            tmpfsOptions=Property(kind="list", single=True, fields={"sizeBytes": NUMBER, "mode": NUMBER}),
        ),
        "mustRun": Property(kind="boolean", replaces=False, default=True),
        "networkDatas": Property(kind="list", output=True, replaces=False, recorded=True),
        "networkMode": Property(default="bridge"),
        "networksAdvanced": _objects(name=_NEEDED, aliases=TEXTS, ipv4Address=TEXT, ipv6Address=TEXT),
        "pidMode": TEXT,
        "ports": Property(
            kind="list",
            unordered_by=("internal", "protocol", "external"),
            fields={
                "internal": _NEEDED_NUMBER,
                "external": Property(kind="integer", computed=True),
                "ip": Property(default="0.0.0.0"),  # noqa: S104 - Docker's default; our components always set one
                "protocol": Property(default="tcp"),
            },
        ),
        "privileged": FLAG,
        "publishAllPorts": FLAG,
        "readOnly": _OFF,
        "removeVolumes": Property(kind="boolean", replaces=False, default=True),
        "restart": Property(replaces=False, default="no", pattern="^(no|on-failure|always|unless-stopped)$"),
        "rm": _in_place(_OFF),
        "runtime": _DOCKER_TEXT,
        "securityOpts": Property(kind="set", computed=True),
        "shmSize": Property(kind="integer", computed=True, minimum=0),
        "start": Property(kind="boolean", replaces=False, default=True),
        "stdinOpen": _OFF,
        "stopSignal": _DOCKER_TEXT,
        "stopTimeout": Property(kind="integer", computed=True),
        "sysctls": MAP,
        "tmpfs": Property(kind="map", replaces=False),
        "tty": _OFF,
        "ulimits": _objects(name=_NEEDED, soft=_NEEDED_NUMBER, hard=_NEEDED_NUMBER),
        "uploads": _objects(
            file=_NEEDED,
            content=TEXT,
            contentBase64=TEXT,
            executable=_OFF,
            permissions=Property(pattern="^0[0-7]{3}$"),
            source=TEXT,
            sourceHash=TEXT,
        ),
        "user": Property(blank_keeps=True),
        "usernsMode": TEXT,
        "volumes": _objects(
            containerPath=TEXT,
            hostPath=Property(pattern="^/"),
            volumeName=TEXT,
            readOnly=FLAG,
        ),
        "wait": _in_place(_OFF),
        "waitTimeout": Property(kind="integer", replaces=False, default=60),
        "workingDir": Property(blank_keeps=True),
    }
)
