"""The stack `bench`: a copy of the project with its own stack file, data folder, network and ports."""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any, Final

import yaml

from demo.tenant.options import TenantOptions
from demo.tenant.placement import placed
from observability.core import http
from tools import checkout

STACK: Final = "bench"
GATEWAY: Final = "172.30.96.1"
SETTINGS: Final[Mapping[str, Any]] = {
    "observability:environment": "dev",
    "observability:network": {"subnet": "172.30.96.0/24"},
    "observability:prometheus": {"port": 17090},
    "observability:alertmanager": {"port": 17093},
    "observability:nodeExporter": {"port": 17100},
    "observability:loki": {"port": 17310},
    "observability:grafana": {"port": 17301},
    "observability:traces": {"grpcPort": 17417, "httpPort": 17418},
    "observability:jaeger": {"port": 17686},
}
"""The defaults of a dev stack except for the ports: the results must apply to such a stack."""

DEMO: Final = TenantOptions(
    name="demo-bench",
    subnet=IPv4Network("172.30.97.0/24"),
    port=17088,
    fault_port=17399,
    otlp=f"http://{GATEWAY}:17418",
)
"""The demo that the stack watches."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A stack that runs only while it is measured."""

    root: Path
    variables: Mapping[str, str]
    """Variables of its commands."""

    def obs(self, *arguments: str, stdin: str = "") -> str:
        """Run `./obs` and return its output; RuntimeError if it fails."""
        own = {"OBS_DATA_DIR": str(self.root.parent / "data"), "OBS_SKIP_CHECK": "1"}
        env = {**os.environ, **self.variables, **own}
        for name in ("PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"):
            env.pop(name, None)
        command = [str(self.root / "obs"), *arguments]
        done = subprocess.run(command, env=env, input=stdin, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"obs {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def prometheus(self, path: str, **params: str | float) -> Any:  # noqa: ANN401 - any JSON of the API
        """The data of a response from its Prometheus."""
        url = f"http://127.0.0.1:{SETTINGS['observability:prometheus']['port']}/api/v1/{path}"
        answer = http.get(url, params=params, timeout=60, trust_env=False)
        answer.raise_for_status()
        return answer.json()["data"]


@contextmanager
def stack(secrets: Mapping[str, str]) -> Iterator[Stack]:
    """The running stack with these secrets; removed with its data at the end of the block."""
    with tempfile.TemporaryDirectory(prefix="obs-bench-") as folder:
        root = Path(folder) / "project"
        variables = checkout.copy(root)
        (root / f"Pulumi.{STACK}.yaml").write_text(yaml.safe_dump({"config": values()}))
        found = Stack(root=root, variables=variables)
        for name, value in secrets.items():
            found.obs("secret", "set", name, STACK, stdin=f"{value}\n")
        try:
            found.obs("up", STACK)
            yield found
        finally:
            found.obs("down", STACK, "--volumes")


def values() -> dict[str, Any]:
    """The stack file's `config`: the settings, with those that place the demo."""
    found = dict(SETTINGS)
    for name, section in placed(DEMO).items():
        found[name] = {**found.get(name, {}), **section}
    return found
