"""Alertmanager: groups, mutes and delivers the alerts of Prometheus."""

from collections.abc import Iterable
from typing import Final

from pydantic import Field

from observability.core import naming
from observability.core.section import Section
from observability.core.types import Duration, MemoryMb, Port
from observability.parts.model import ALWAYS, NOBODY, Here, Image, Kept, Loaded, Part, Scraped, Server, own
from toolchain.gobuild import GoBuild
from toolchain.recipe import Recipe, stamps

PORT: Final = 9093
"""Port in the container."""

TURN_SECONDS: Final = 4
"""Seconds that each replica of Alertmanager gives the one before it to send a message.

A waiting replica reads the alerts before its wait, and what others sent after it. With a wait longer than the
10 s between two flushes, like the default of 15 s, it would send half of all alerts as firing again, just after
another replica has sent them as resolved. A receiver that takes longer than this to respond gets a message twice.
"""


class AlertmanagerSettings(Section):
    """The server that groups, mutes and delivers alerts."""

    port: Port = Field(9093, description="Port on the host; of several replicas the first one's.")
    replicas: int = Field(
        1, description="How many run, as a cluster that sends each message once; 1 to 3.", ge=1, le=3
    )
    retention: Duration = Field("120h", description="How long silences and sent notifications are remembered.")
    memory_mb: MemoryMb = Field(128, description="Memory limit of each, MiB.")

    @property
    def services(self) -> tuple[str, ...]:
        """The service of each replica."""
        return tuple(naming.replica("alertmanager", number) for number in range(1, self.replicas + 1))

    @property
    def longest_turn(self) -> int:
        """Seconds that the last replica gives the others to send a message before it sends it itself."""
        return (self.replicas - 1) * TURN_SECONDS


def _targets(here: Here[AlertmanagerSettings, Server]) -> Iterable[Scraped]:
    return [own(f"{service}:{PORT}") for service in here.settings.services]


LOADED: Final = Loaded(
    file="alertmanager.yaml",
    config="/api/v2/status",
    at=("config", "original"),
    added={
        "follow_redirects": (True,),
        "enable_http2": (True,),
        "type": ("Bearer",),
        "smtp_hello": ("localhost",),
        "hello": ("localhost",),
        "smtp_require_tls": (True,),
        "require_tls": (True,),
        "send_resolved": (True, False),
        # With a bot's token, the address is that of `app_url`; with a file of the address too, it is refused.
        "api_url": ("<secret>", "https://api.telegram.org", "https://api.opsgenie.com/"),
        "app_url": ("https://slack.com/api/chat.postMessage",),
        "slack_app_url": ("https://slack.com/api/chat.postMessage",),
        "pagerduty_url": ("https://events.pagerduty.com/v2/enqueue",),
        "url": ("https://events.pagerduty.com/v2/enqueue",),
        "opsgenie_api_url": ("https://api.opsgenie.com/",),
        "wechat_api_url": ("https://qyapi.weixin.qq.com/cgi-bin/",),
        "victorops_api_url": ("https://alert.victorops.com/integrations/generic/20131114/alert/",),
        "telegram_api_url": ("https://api.telegram.org",),
        "webex_api_url": ("https://webexapis.com/v1/messages",),
        "rocketchat_api_url": ("https://open.rocket.chat/",),
        "group_wait": ("30s",),
        "group_interval": ("5m",),
        "repeat_interval": ("4h",),
    },
    # The texts of messages by default.
    added_pattern=r'\{\{ ?template "[a-z]+\.default\.[a-z.]+" ?\. ?\}\}|\{\{ ?\.Alerts\.\w+ \| len ?\}\}',
    inherits="global",
    unordered=("matchers", "source_matchers", "target_matchers", "equal"),
)
"""Its configuration in use, by its API."""

PART: Final = Part[AlertmanagerSettings, Server](
    name="alertmanager",
    title="The alert server.",
    settings=AlertmanagerSettings,
    profiles=ALWAYS,
    essential=True,
    job="alertmanager",
    port=PORT,
    targets=_targets,
    # It writes each file anew and renames it.
    kept=Kept(owner=NOBODY, services=lambda settings: settings.services),
    loaded=LOADED,
    images=(
        Image(
            name="alertmanager",
            reference="prom/alertmanager:v0.34.2",
            recipe=Recipe(
                repository="prom/alertmanager",
                tag="v0.34.2",
                title="Alertmanager",
                build=GoBuild(
                    name="alertmanager",
                    module="github.com/prometheus/alertmanager",
                    version="v0.34.2",
                    packages=("cmd/alertmanager", "cmd/amtool"),
                    stamps=stamps("0.34.2"),
                    tags=("netgo",),
                    keep=("examples/ha/alertmanager.yml",),
                    # The compiled pages are not in the module, and without them the build fails.
                    additions={"ui/app/dist/README": "Built without the web pages.\n"},
                ),
                binaries={"/bin/alertmanager": "alertmanager", "/bin/amtool": "amtool"},
                files={"/etc/alertmanager/alertmanager.yml": "examples/ha/alertmanager.yml"},
                owned={"/etc/alertmanager": 0o755, "/alertmanager": 0o775},
                workdir="/alertmanager",
                entrypoint=("/bin/alertmanager",),
                cmd=("--config.file=/etc/alertmanager/alertmanager.yml", "--storage.path=/alertmanager"),
                volumes=("/alertmanager",),
                ports=("9093/tcp",),
                without="its web pages (the API is whole)",
            ),
        ),
    ),
)
