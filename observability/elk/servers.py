"""The files of Elasticsearch, Kibana and the setup: path within their folder → text, or what it is made of."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from observability.core.render import to_yaml
from observability.elk import access, indices
from observability.parts.elk import (
    AUTHORITY,
    ELASTICSEARCH,
    ENCRYPTION_KEY,
    EXPORTER_PASSWORD,
    EXTERNAL_KIBANA_PASSWORD,
    EXTERNAL_PASSWORD,
    HTTP,
    KIBANA,
    PAGES,
    SERVERS,
    ElkSettings,
    ExternalSettings,
)
from observability.parts.model import SecretText
from observability.settings.load import StackConfig

CONFIG: Final = "/run/elasticsearch"
"""Folder of Elasticsearch's configuration, in memory: it writes its keystore there."""
DATA: Final = {
    ELASTICSEARCH: "/usr/share/elasticsearch/data",
    KIBANA: "/usr/share/kibana/data",
}
"""Folders of the volumes of data; the images own them."""
CA: Final = "ca.pem"
CERTIFICATE, KEY = "server.pem", "server-key.pem"
CURL: Final = "curl.conf"
START: Final = "start.sh"
INSIDE: Final = f"https://{ELASTICSEARCH}:{HTTP}"


def folder(service: str) -> str:
    """Where a server has its files."""
    return f"/etc/{service}"


def settings_of(config: StackConfig) -> ElkSettings:
    """The section, which is there where the part runs."""
    found = config.settings.elk
    if found is None:
        raise AssertionError("the section elk is not there")
    return found


def address(config: StackConfig) -> str:
    """Where Elasticsearch is, within the stack's network."""
    external = settings_of(config).external
    return external.url.rstrip("/") if external is not None else INSIDE


def trusted(config: StackConfig) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The certificate by which Elasticsearch is recognised: as a file, or as a file with a secret."""
    external = settings_of(config).external
    if external is None:
        return {}, {CA: AUTHORITY}
    return ({CA: config.files[external.ca]} if external.ca else {}), {}


def login(config: StackConfig, user: str, secret: str) -> tuple[str, str]:
    """The user with whom a server signs in to Elasticsearch, and the secret with the password."""
    external: ExternalSettings | None = settings_of(config).external
    if external is None:
        return user, secret
    return (
        (external.kibana_user, EXTERNAL_KIBANA_PASSWORD)
        if user == "obs-kibana"
        else (external.user, EXTERNAL_PASSWORD)
    )


def pair(service: str) -> Mapping[str, str]:
    """The files with the certificate and the key of a server, and their secrets."""
    certificate, key = SERVERS[service]
    return {CERTIFICATE: certificate, KEY: key}


def elasticsearch(config: StackConfig) -> dict[str, str]:
    """The files of Elasticsearch without a secret."""
    tls = {"enabled": True, "certificate": CERTIFICATE, "key": KEY, "certificate_authorities": [CA]}
    document = {
        "cluster.name": config.settings.cluster,
        "node.name": f"{config.stack}-1",
        "discovery.type": "single-node",
        "path.data": DATA[ELASTICSEARCH],
        "path.logs": "/usr/share/elasticsearch/logs",
        "network.host": "0.0.0.0",  # noqa: S104 - in a container of its own, on the stack's network
        "http.port": HTTP,
        # The only node: nothing else speaks to it by that protocol.
        "transport.host": "127.0.0.1",
        "xpack.security.enabled": True,
        "xpack.security.http.ssl": tls,
        "xpack.security.transport.ssl": {**tls, "verification_mode": "certificate"},
        # The image's own default of memory-mapped files needs a setting of the host's kernel.
        "node.store.allow_mmap": False,
        "xpack.ml.enabled": False,
        "ingest.geoip.downloader.enabled": False,
    }
    return {
        "elasticsearch.yml": to_yaml(document, source=f"Pulumi.{config.stack}.yaml"),
        "roles.yml": access.roles_yaml(),
        "users_roles": access.users_roles(),
        START: _START,
    }


_START: Final = f"""\
# Starts Elasticsearch with a configuration in memory: that of the image, and the files next to this one.
set -eu
umask 077
files=$(dirname "$0")
cp -R /usr/share/elasticsearch/config/. {CONFIG}/
cp "$files"/* {CONFIG}/
exec /usr/share/elasticsearch/bin/elasticsearch
"""


def elasticsearch_texts() -> dict[str, SecretText]:
    """The files of Elasticsearch that are made of secrets."""
    ca = f"{CONFIG}/{CA}"
    return {"users": access.users(), CURL: access.curl("obs-exporter", EXPORTER_PASSWORD, ca)}


def kibana_text(config: StackConfig) -> SecretText:
    """The file `kibana.yml`, which has to hold its secrets."""
    user, secret = login(config, "obs-kibana", "elkKibanaPassword")
    settings, here = settings_of(config), f"{folder(KIBANA)}/current"
    plain, hidden = trusted(config)

    def text(values: Mapping[str, str]) -> str:
        document: dict[str, Any] = {
            "server.name": f"{config.settings.cluster}-kibana",
            "server.host": "0.0.0.0",  # noqa: S104 - as above
            "server.port": PAGES,
            "server.publicBaseUrl": f"https://{config.settings.bind_address}:{settings.kibana.port}",
            "server.ssl.enabled": True,
            "server.ssl.certificate": f"{here}/{CERTIFICATE}",
            "server.ssl.key": f"{here}/{KEY}",
            "path.data": DATA[KIBANA],
            "elasticsearch.hosts": [address(config)],
            "elasticsearch.username": user,
            "elasticsearch.password": values[secret],
            "xpack.encryptedSavedObjects.encryptionKey": values[ENCRYPTION_KEY],
            "xpack.reporting.encryptionKey": values[ENCRYPTION_KEY],
            "xpack.security.encryptionKey": values[ENCRYPTION_KEY],
            "telemetry.optIn": False,
            "telemetry.allowChangingOptInStatus": False,
            "logging.root.level": "warn",
        }
        if {**plain, **hidden}:
            document["elasticsearch.ssl.certificateAuthorities"] = [f"{here}/{CA}"]
        return to_yaml(document, source=f"Pulumi.{config.stack}.yaml")

    return SecretText(names=(secret, ENCRYPTION_KEY), text=text)


def setup(config: StackConfig) -> tuple[dict[str, str], dict[str, str]]:
    """The files of the setup, and those that are a secret each."""
    user, secret = login(config, "obs-setup", "elkSetupPassword")
    plain, hidden = trusted(config)
    files = {
        "setup.py": Path(__file__).with_name("setup.py").read_text(encoding="utf-8"),
        "requests.json": indices.requests(config),
        "address": address(config),
        "user": user,
        **plain,
    }
    return files, {"password": secret, **hidden}
