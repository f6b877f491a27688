"""The environment of Grafana's server; for a secret, only the path of the file that holds it."""

from typing import Final

from dashboards.datasources import SENTRY
from observability.settings.grafana import ROLES, OidcSettings
from observability.settings.load import StackConfig
from observability.settings.notifications import Smtp

SENTRY_VERSION: Final = "2.2.5"
"""Version of Sentry's data source."""

ADMIN_FILE: Final = "secrets/admin_password"
"""The administrator's password, in the folder of the current files."""

OIDC_FILE: Final = "secrets/oidc_secret"
SMTP_FILE: Final = "secrets/smtp_password"

SETTINGS: Final = {
    "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
    "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
    "GF_ANALYTICS_FEEDBACK_LINKS_ENABLED": "false",
    "GF_ANALYTICS_REPORTING_ENABLED": "false",
    "GF_AUTH_ANONYMOUS_ENABLED": "false",
    "GF_LOG_MODE": "console",
    "GF_NEWS_NEWS_FEED_ENABLED": "false",
    "GF_PLUGINS_PREINSTALL_DISABLED": "true",
    "GF_SECURITY_ADMIN_USER": "admin",
    "GF_SECURITY_COOKIE_SAMESITE": "strict",
    "GF_SECURITY_DISABLE_GRAVATAR": "true",
    # Logs every request with its user; observability/logs/pipelines.py makes the audit log from it.
    "GF_SERVER_ROUTER_LOGGING": "true",
    "GF_SNAPSHOTS_EXTERNAL_ENABLED": "false",
    "GF_UNIFIED_ALERTING_ENABLED": "true",
    # A single replica has no peers.
    "GF_UNIFIED_ALERTING_HA_LISTEN_ADDRESS": "",
    "GF_USERS_ALLOW_ORG_CREATE": "false",
    "GF_USERS_ALLOW_SIGN_UP": "false",
    "GF_USERS_AUTO_ASSIGN_ORG_ROLE": "Viewer",
}
"""No anonymous access, no sign-up, no requests to the internet."""


def secret_files(config: StackConfig) -> dict[str, str]:
    """Path within the folder → name of the secret stored there."""
    smtp = config.settings.notifications.smtp
    files = {ADMIN_FILE: "grafanaAdminPassword"}
    if config.settings.grafana.oidc is not None:
        files[OIDC_FILE] = "grafanaOidcSecret"
    if smtp is not None and smtp.user is not None:
        files[SMTP_FILE] = "smtpPassword"
    return files


def environment(config: StackConfig, folder: str) -> dict[str, str]:
    """Every variable by its name; `folder` is the folder of the current files in the container."""
    settings = config.settings
    address = config.link("grafana") or f"http://{settings.bind_address}:{settings.grafana.port}"
    found = {
        **SETTINGS,
        "GF_SECURITY_ADMIN_PASSWORD__FILE": f"{folder}/{ADMIN_FILE}",
        "GF_SECURITY_COOKIE_SECURE": str(address.startswith("https://")).lower(),
        "GF_SERVER_ROOT_URL": f"{address}/",
    }
    if settings.grafana.data_sources.sentry is not None:
        # The one request to the internet, at the start: the data source's plugin.
        found |= {
            "GF_PLUGINS_PREINSTALL_DISABLED": "false",
            "GF_PLUGINS_PREINSTALL_SYNC": f"{SENTRY}@{SENTRY_VERSION}",
        }
    if settings.grafana.oidc is not None:
        found |= _oidc(settings.grafana.oidc, folder)
    if settings.notifications.smtp is not None:
        found |= _smtp(settings.notifications.smtp, folder)
    return found


def role_path(oidc: OidcSettings) -> str:
    """The JMESPath that maps a user's groups to a role: the first match; none if other users are rejected."""
    groups = f"not_null({oidc.groups_path}, `[]`)"
    parts = []
    for role in ("admin", "editor", "viewer"):
        held = " || ".join(f"contains({groups}, '{group}')" for group in oidc.roles.get(role, ()))
        if held:
            parts.append(f"({held}) && '{ROLES[role]}'")
    if not oidc.roles.get("viewer"):
        parts.append(f"'{ROLES['viewer']}'")
    return " || ".join(parts)


def _oidc(oidc: OidcSettings, folder: str) -> dict[str, str]:
    own = {
        "ENABLED": "true",
        "NAME": oidc.name,
        "CLIENT_ID": oidc.client_id,
        "CLIENT_SECRET__FILE": f"{folder}/{OIDC_FILE}",
        "AUTH_URL": oidc.auth_url,
        "TOKEN_URL": oidc.token_url,
        "API_URL": oidc.api_url,
        "SCOPES": " ".join(oidc.scopes),
        # An account is created at the first sign-in: the provider has authenticated the user.
        "ALLOW_SIGN_UP": "true",
        "USE_PKCE": "true",
        "ROLE_ATTRIBUTE_PATH": role_path(oidc),
        # Strict: a user without a role cannot sign in.
        "ROLE_ATTRIBUTE_STRICT": str(bool(oidc.roles.get("viewer"))).lower(),
        "AUTO_LOGIN": str(oidc.only).lower(),
    }
    return {
        **{f"GF_AUTH_GENERIC_OAUTH_{name}": value for name, value in own.items()},
        "GF_AUTH_DISABLE_LOGIN_FORM": str(oidc.only).lower(),
        # The provider redirects back to Grafana, and a strict cookie would not be sent then.
        "GF_SECURITY_COOKIE_SAMESITE": "lax",
    }


def _smtp(smtp: Smtp, folder: str) -> dict[str, str]:
    own = {
        "ENABLED": "true",
        "HOST": smtp.address,
        "EHLO_IDENTITY": smtp.hello_name,
        "FROM_ADDRESS": smtp.sender,
        "STARTTLS_POLICY": "MandatoryStartTLS" if smtp.tls else "NoStartTLS",
    }
    if smtp.user is not None:
        own |= {"USER": smtp.user, "PASSWORD__FILE": f"{folder}/{SMTP_FILE}"}
    return {f"GF_SMTP_{name}": value for name, value in own.items()}
