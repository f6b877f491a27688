"""`obs grafana-token`: a token for one of Grafana's service accounts, printed once and not stored."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from observability.cli.common import Stack
from observability.core import http
from observability.core.documents import nearest
from observability.core.errors import ConfigError

if TYPE_CHECKING:
    from observability.operations.grafana import Grafana
    from observability.operations.home import Home
    from observability.settings.load import StackConfig


def grafana_token(
    account: Annotated[str, typer.Argument(help="A name of grafana.serviceAccounts, like ci-viewer.")],
    stack: Stack = "dev",
    days: Annotated[int, typer.Option("--days", help="Validity in days.", min=1, max=365)] = 90,
) -> None:
    """Create a token for a program. It is printed once and cannot be read again."""
    from observability.operations.home import Home

    home = Home.find()
    config = home.config(stack)
    known = config.settings.grafana.service_accounts
    if account not in known:
        raise ConfigError(
            f"there is no service account {account!r} in grafana.serviceAccounts",
            f"{nearest(account, known)}known here: {', '.join(known) or 'none'}",
        )
    grafana = _reached(config, home)
    typer.echo(make(grafana, account, days, datetime.now(UTC)))
    until = f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%d}"
    typer.echo(f"{account} of {grafana.url}, valid until {until}; it is not shown again", err=True)


def make(grafana: "Grafana", account: str, days: int, now: datetime) -> str:
    """A new token of the account; ConfigError where Grafana does not have the account or refuses."""
    import httpx

    try:
        found = grafana.get(f"api/serviceaccounts/search?perpage=1000&query={account}")["serviceAccounts"]
        ids = [one["id"] for one in found if one["name"] == account]
        if not ids:
            raise ConfigError(f"Grafana has no service account {account} yet", "run ./obs up first")
        answer = http.post(
            f"{grafana.url}/api/serviceaccounts/{ids[0]}/tokens",
            json={"name": f"{account} {now:%Y-%m-%d %H:%M:%S}", "secondsToLive": days * 86_400},
            headers=grafana.headers,
            timeout=10,
        )
        answer.raise_for_status()
    except httpx.HTTPStatusError as error:
        raise ConfigError(
            f"Grafana answers {error.response.status_code}", "its credentials are not those of an administrator"
        ) from error
    return str(answer.json()["key"])


def _reached(config: "StackConfig", home: "Home") -> "Grafana":
    from observability.operations.grafana import Grafana, trouble

    grafana = Grafana.of(config, home.secrets(config.stack))
    if grafana is None:
        raise ConfigError(f"the stack {config.stack} has no Grafana", f"run ./obs up {config.stack} first")
    reason = trouble(grafana.url)
    if reason is not None:
        raise ConfigError(f"Grafana at {grafana.url} does not answer: {reason}", f"run ./obs up {config.stack} first")
    return grafana
