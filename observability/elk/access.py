"""Who may do what in the stack's own Elasticsearch: files of its file realm, so nothing is stored in the cluster."""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any, Final

from observability.core.errors import ConfigError
from observability.core.render import to_yaml
from observability.elk.indices import PATTERNS
from observability.parts.elk import AUTHORITY, USERS
from observability.parts.model import SecretText

ROLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "obs_logstash": {
        "cluster": ["monitor"],
        "indices": [{"names": [*PATTERNS], "privileges": ["auto_configure", "create_index", "create_doc"]}],
    },
    "obs_setup": {"cluster": ["monitor", "manage_ilm", "manage_index_templates"]},
    "obs_grafana": {
        "cluster": ["monitor"],
        "indices": [{"names": [*PATTERNS], "privileges": ["read", "view_index_metadata"]}],
    },
    "obs_exporter": {
        "cluster": ["monitor", "monitor_snapshot"],
        "indices": [{"names": ["*"], "privileges": ["monitor"], "allow_restricted_indices": True}],
    },
}
"""Roles besides those that Elasticsearch has itself."""

ROLES_OF: Final = {
    "superuser": "obs-admin",
    "kibana_system": "obs-kibana",
    "obs_logstash": "obs-logstash",
    "obs_setup": "obs-setup",
    "obs_grafana": "obs-grafana",
    "obs_exporter": "obs-exporter",
}
"""The user who has a role."""

_ROUNDS: Final = 10_000
"""Elasticsearch knows its own numbers of rounds only, of which this is the default. The passwords are random."""
_BYTES: Final = 32


def roles_yaml() -> str:
    """The file `roles.yml`."""
    return to_yaml({name: dict(role) for name, role in ROLES.items()}, source="the section elk")


def users_roles() -> str:
    """The file `users_roles`."""
    return "".join(f"{role}:{user}\n" for role, user in ROLES_OF.items())


def users() -> SecretText:
    """The file `users`: a hash for each user."""
    return SecretText(names=(AUTHORITY, *USERS.values()), text=_users)


def _users(values: Mapping[str, str]) -> str:
    return "".join(
        f"{user}:{hashed(values[secret], f'{user}{values[AUTHORITY]}')}\n" for user, secret in USERS.items()
    )


def hashed(password: str, distinct: str) -> str:
    """A password in Elasticsearch's form of PBKDF2; the salt is made of `distinct`: the same file each time."""
    salt = hashlib.sha256(distinct.encode()).digest()
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ROUNDS, _BYTES)
    return f"{{PBKDF2}}{_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}"


def curl(user: str, secret: str, ca: str) -> SecretText:
    """A configuration of curl: the user, whose password is a secret, and the authority's certificate."""
    return SecretText(
        names=(secret,), text=lambda values: f'user = "{user}:{quoted(secret, values[secret])}"\ncacert = "{ca}"\n'
    )


def quoted(secret: str, value: str) -> str:
    """A password within the double quotes of curl or of Logstash; ConfigError where they would read it otherwise."""
    if set(value) & set('"\\\n\r') or "${" in value:
        raise ConfigError(
            f'the secret {secret} holds one of " \\ ${{ or a line break, which its reader would not take literally',
            f"choose another password, and store it: ./obs secret set {secret}",
        )
    return value
