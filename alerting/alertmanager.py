"""The files Alertmanager reads, as text; a secret is only named here, by the file that holds it."""

from typing import Any, Final

from alerting import inhibition
from config.load import StackConfig
from config.naming import inbox
from config.render import to_yaml

CONFIG_DIR: Final = "/etc/alertmanager/current"
"""Where the files lie in the container; Alertmanager resolves no secret's path, so they are written whole."""

VERIFY_LABEL: Final = "obs_verify"
"""Label of the alerts that `obs verify` raises; they go to its inbox and to nobody else."""

INBOX_PORT: Final = 9095
"""Port on which `obs verify` listens, within the stack's network only."""


def files(config: StackConfig) -> dict[str, str]:
    """Alertmanager's configuration folder: path within it → text, secrets left out."""
    return {"alertmanager.yaml": _alertmanager_yaml(config)}


def secret_files(config: StackConfig) -> dict[str, str]:
    """Path within the folder → name of the secret that lies there."""
    return {"secrets/alert_webhook_url": "alertWebhookUrl"} if "alertWebhookUrl" in config.secrets else {}


def _alertmanager_yaml(config: StackConfig) -> str:
    default: dict[str, Any] = {"name": "default"}
    for path in secret_files(config):
        default["webhook_configs"] = [{"url_file": f"{CONFIG_DIR}/{path}", "send_resolved": True}]
    verify = {
        "name": "verify",
        "webhook_configs": [{"url": f"http://{inbox(config.stack)}:{INBOX_PORT}/", "send_resolved": False}],
    }
    document = {
        "global": {"resolve_timeout": "5m"},
        "route": {
            "receiver": "default",
            "group_by": ["alertname", "cluster", "system"],
            "group_wait": "10s",
            "group_interval": "10s",
            "repeat_interval": "12h",
            "routes": [{"receiver": "verify", "matchers": [f'{VERIFY_LABEL}="true"'], "group_wait": "0s"}],
        },
        "inhibit_rules": inhibition.rules(),
        "receivers": [default, verify],
    }
    return to_yaml(document, source=f"Pulumi.{config.stack}.yaml")
