"""Annotated types of the settings; each refuses values that Prometheus or Docker would refuse later."""

import re
from decimal import Decimal
from ipaddress import IPv4Network
from pathlib import PurePosixPath
from typing import Annotated, Final, Literal, TypeVar, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

_DURATION: Final = re.compile(
    r"(?=.)(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?"
)
_UNIT_SECONDS: Final = (31_536_000.0, 604_800.0, 86_400.0, 3_600.0, 60.0, 1.0, 0.001)
_IMAGE: Final = re.compile(
    r"(?P<repository>(?:[a-zA-Z0-9.-]+(?::\d+)?/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)"
    r"(?::(?P<tag>[\w][\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_PERCENT: Final = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(?:([KkMGT])(i)?)?B?")
_SERVICE_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,38}[a-z0-9]")


def seconds(duration: str) -> float:
    """Seconds of a duration in Prometheus' notation; ValueError where it is not one.

    A year is 365 days, as in Prometheus' own parser.
    """
    match = _DURATION.fullmatch(duration)
    if match is None:
        raise ValueError("is not a duration; write it like 15s, 1m30s, 2h or 15d")
    return sum(int(count) * unit for count, unit in zip(match.groups(), _UNIT_SECONDS, strict=True) if count)


def size(value: str) -> float:
    """Bytes of a size like 200GiB, 10MB or 512B; ValueError where it is not one."""
    match = _SIZE.fullmatch(value)
    if match is None:
        raise ValueError("is not a size; write a number of bytes, or like 200GiB or 10MB")
    thousand = 1024.0 if match[3] else 1000.0
    exponent: int = "KMGT".index(match[2].upper()) + 1 if match[2] else 0
    return float(match[1]) * thousand**exponent


def share(value: object) -> object:
    """A text like 5% as a number; anything else unchanged."""
    match = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    # By way of Decimal: 99.9 / 100 as floats is slightly more than 0.999.
    return float(Decimal(match[1]) / 100) if match else value


def in_repository(value: str) -> str:
    """The path of a file of the repository; ValueError where it leads out of it."""
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError("leaves the repository; write a path from its root, like targets/shop.yaml")
    return str(path)


def _private(subnet: IPv4Network) -> IPv4Network:
    if not subnet.is_private or not 16 <= subnet.prefixlen <= 28:
        raise ValueError("must be a private network between /16 and /28, like 172.30.90.0/24")
    return subnet


def _duration(value: str) -> str:
    if seconds(value) <= 0:
        raise ValueError("must be longer than nothing; write it like 15s, 1m30s, 2h or 15d")
    return value


def _image(value: str) -> str:
    match = _IMAGE.fullmatch(value)
    if match is None:
        raise ValueError("is not an image reference; write it like prom/prometheus:v3.15.0")
    if match["tag"] is None and match["digest"] is None:
        raise ValueError(f"has no tag; pin it, like {value}:v1.2.3")
    if match["tag"] == "latest" and match["digest"] is None:
        raise ValueError("moves under you; pin a version instead of latest")
    return value


def _service_name(value: str) -> str:
    if _SERVICE_NAME.fullmatch(value) is None:
        raise ValueError("must be 2 to 40 of a-z, 0-9 and '-', beginning with a letter")
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("is no time zone of the IANA database; write one like Europe/Berlin") from None
    return value


Duration = Annotated[str, AfterValidator(_duration), Field(examples=["15s", "1m30s", "15d"])]
"""A duration in Prometheus' notation, longer than zero."""

Share = Annotated[
    float,
    BeforeValidator(share),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^\d+(\.\d+)?\s*%$"}]}),
]
"""A part of a whole, as a number or like 99.9%."""

ImageRef = Annotated[str, AfterValidator(_image), Field(examples=["prom/prometheus:v3.15.0"])]
"""A container image with a tag other than `latest`, or a digest."""

Port = Annotated[int, Field(ge=1, le=65535)]
"""A TCP port."""

ServiceName = Annotated[str, AfterValidator(_service_name), Field(examples=["rabbitmq"])]
"""The name of one service of the stack; it becomes part of a container's name."""

MemoryMb = Annotated[int, Field(ge=16, le=1_048_576)]
"""A hard memory limit in MiB."""

Subnet = Annotated[IPv4Network, AfterValidator(_private)]
"""A private IPv4 network for containers."""

RepositoryFile = Annotated[str, AfterValidator(in_repository)]
"""Path of a file from the root of the repository."""

TimeZone = Annotated[str, AfterValidator(_zone), Field(examples=["Europe/Berlin"])]
"""Name of a time zone in the IANA database."""

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

WEEKDAYS: Final[tuple[Weekday, ...]] = get_args(Weekday)
"""In the order of Python's `weekday()`."""

MailAddress = Annotated[str, Field(pattern=r"^[^\s@,]+@[^\s@,]+$", max_length=254, examples=["ops@example.com"])]
"""A mail address, without a display name."""

Profile = Literal["full", "metrics", "minimal"]
"""Which parts run by default: full; metrics: no logs; minimal: only the metrics of the host."""


def _reached_from_a_container(address: str) -> str:
    if address.startswith(("localhost:", "127.")):
        raise ValueError("is the container itself where a container uses it; write an address that others can reach")
    return address


def _plain_address(address: object) -> object:
    """The address unchanged; ValueError where it is not exactly host:port."""
    if not isinstance(address, str):
        return address
    scheme, found, rest = address.partition("://")
    rest = rest if found else address
    host, slash, _ = rest.partition("/")
    if found:
        raise ValueError(f"has a scheme, {scheme}://; write host:port alone, as it is scraped by the key scheme")
    if slash:
        raise ValueError("has a path; write host:port alone, as the path stands in the system's file")
    if ":" not in host:
        raise ValueError(f"has no port; write host:port, like {host.strip() or 'shop'}:8080")
    port = host.rpartition(":")[2]
    if not port.isdecimal() or not 1 <= int(port) <= 65535:
        raise ValueError(f"has the port {port!r}; write a number from 1 to 65535 after the colon")
    return address


Address = Annotated[
    str,
    BeforeValidator(_plain_address),
    Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*:\d{1,5}$", examples=["db.example.com:5432"]),
    AfterValidator(_reached_from_a_container),
]
"""host:port, as a container reaches it."""

SystemName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=63)]
"""Name of a watched system, in the label `system`."""

_Item = TypeVar("_Item")


def one_each(found: tuple[_Item, ...], field: str) -> tuple[_Item, ...]:
    """The items unchanged; ValueError where two have the same value of a field."""
    taken: set[object] = set()
    for index, item in enumerate(found):
        value = getattr(item, field)
        if value in taken:
            raise ValueError(f"two entries have the {field} {value!r}; give entry {index} another, or remove it")
        taken.add(value)
    return found


LONGEST_INTERVAL: Final = 60.0
"""Longest scrape interval, seconds: rates are over 5 minutes and need at least four samples."""
