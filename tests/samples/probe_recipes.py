"""The Blackbox exporter, and the page that it probes."""

import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote

import yaml

from observability.core.documents import load_yaml
from observability.parts import blackbox as modules
from observability.parts.probe import Probe, module_name
from tests.samples.lab import Server
from tests.samples.recipe import Recipe, config

_KEYWORD = '"status":"ok"'


_PROBES = {
    "systems": {
        "depot": {
            "probes": [
                {"name": "page", "url": "http://web/", "keyword": _KEYWORD},
                {"name": "api", "url": "http://web/api", "json": {"status": "ok"}},
                {"name": "secure", "url": "https://web/"},
                {"name": "port", "url": "tcp://web:80"},
            ]
        }
    }
}


_NGINX = """\
pid /tmp/nginx.pid;
events {}
http {
    server {
        listen 80;
        listen 443 ssl;
        ssl_certificate /etc/nginx/tls.pem;
        ssl_certificate_key /etc/nginx/tls.key;
        location / { return 200 '{"status":"ok"}'; }
        location = /stub_status { stub_status; }
    }
}
"""


def _certificate() -> dict[str, str]:
    """A key and a self-signed certificate that is valid for a day."""
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = Path(folder, "key"), Path(folder, "certificate")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "1", "-subj", "/CN=web", "-keyout", key, "-out", certificate],
            check=True, capture_output=True,
        )  # fmt: skip
        return {"/etc/nginx/tls.key": key.read_text(), "/etc/nginx/tls.pem": certificate.read_text()}


def web() -> Server:
    """An nginx with a page, by HTTP and HTTPS, and its stub_status."""
    return Server(
        name="web",
        image="nginx",
        files={"/etc/nginx/sample.conf": _NGINX, **_certificate()},
        command=("nginx", "-c", "/etc/nginx/sample.conf", "-g", "daemon off;"),
    )


def _modules() -> str:
    document = load_yaml(modules.modules(config(_PROBES).servers("blackbox-exporter"), "samples"))
    # The page's certificate is self-signed.
    document["modules"]["http_2xx"]["http"]["tls_config"] = {"insecure_skip_verify": True}
    return yaml.safe_dump(document)


def _probes() -> list[Probe]:
    return [placed.server for placed in config(_PROBES).servers("blackbox-exporter")]


def _probe_urls() -> list[str]:
    return [
        f"http://blackbox:9115/probe?module={module_name(probe)}&target={quote(target, safe='')}"
        for probe in _probes()
        for target in [probe.target]
        if probe.name in {"page", "secure", "port", "api"}
    ]


def blackbox() -> Recipe:
    """The exporter of probes."""
    return Recipe(
        image="blackbox-exporter",
        job="blackbox",
        how="a page with its keyword, one with its JSON value, a page by TLS, and a TCP port",
        servers=[
            web(),
            Server(
                name="blackbox",
                image="blackbox-exporter",
                files={"/etc/blackbox_exporter/sample.yaml": _modules()},
                command=("--config.file=/etc/blackbox_exporter/sample.yaml",),
            ),
        ],
        urls=_probe_urls(),
        masks={"fingerprint_sha256": {".*": "0" * 64}, "serialnumber": {".*": "01"}},
    )
