"""Caddy: its image, and its configuration as the edge of a stack."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from observability.parts import traces
from observability.parts.model import Image
from observability.parts.status_page import PAGES
from toolchain.gobuild import GoBuild
from toolchain.recipe import Recipe

VERSION: Final = "2.11.9"
PORT: Final = 8443
"""Port in the container of the TLS address; as Caddy is not root, none below 1024."""
METRICS_PORT: Final = 9180
"""Port in the container of its own metrics and its health, which is not published."""

MAIN: Final = "Caddyfile"
HOSTS: Final = "hosts.caddy"
"""File with the hosts by their credentials, which the main one imports."""
CERTIFICATE: Final = "certificate.pem"
KEY: Final = "key.pem"
"""Files of the certificate of the settings, or of the stack's own authority."""

Tls = Literal["authority", "acme", "files"]
"""Who signs the certificate: the stack's own authority, a public one, or the issuer of the files in the settings."""

STATUS: Final = "/srv/status-page"
"""Folder in the container with the data of the status page."""

_MODULE: Final = "github.com/caddyserver/caddy/v2"

CADDY: Final = Image(
    name="edge",
    reference=f"caddy:{VERSION}",
    recipe=Recipe(
        repository="caddy",
        tag=VERSION,
        title="Caddy",
        build=GoBuild(
            name="caddy",
            module=_MODULE,
            version=f"v{VERSION}",
            packages=("cmd/caddy",),
            stamps={f"{_MODULE}.CustomVersion": f"v{VERSION}"},
            tags=("nobadger", "nomysql", "nopgx"),
        ),
        binaries={"/usr/bin/caddy": "caddy"},
        sources={"/etc/caddy/Caddyfile": "toolchain/recipes/Caddyfile"},
        owned={"/config/caddy": 0o755, "/data/caddy": 0o755, "/srv": 0o755},
        env={"XDG_CONFIG_HOME": "/config", "XDG_DATA_HOME": "/data", "CADDY_VERSION": f"v{VERSION}"},
        user="",
        uid=0,
        workdir="/srv",
        cmd=("caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"),
        ports=("80/tcp", "443/tcp", "443/udp", "2019/tcp"),
        without="its start page, and the file capability that lets it bind ports below 1024",
    ),
)

_ROUTES: Final[tuple[tuple[str, str, str, str], ...]] = (
    ("samples", "/api/v1/write", "prometheus", "prometheus:9090"),
    ("lines", "/otlp/v1/logs", "loki", "loki:3100"),
    ("spans", "/v1/traces", traces.NAME, f"collector:{traces.HTTP}"),
)
"""Name, path, part and address of what the edge passes on; all of it by POST."""

BROWSERS: Final = "/browser"
"""Path before that of the signal, where browsers send."""

_MOST_FROM_BROWSERS: Final = "1MB"


def configuration(
    address: str,
    tls: Tls,
    *,
    runs: Sequence[str],
    email: str | None = None,
    pictures: str | None = None,
    status: str | None = None,
    origins: Sequence[str] = (),
) -> str:
    """Caddy's configuration, without a secret: the credentials are in the file HOSTS.

    `address` is the name or IPv4 address of the certificate; `runs` names the parts of the stack that take something;
    `pictures` is the address of the pictures of messages, which need no credential; `status` the name under which the
    status page is served, whose files are in the folder STATUS; `origins` are those of the pages whose browsers send
    spans, which have no credential.
    """
    open_ones = (_pictures(pictures) if pictures else "") + (_browsers(origins) if origins else "")
    routes = "".join(_route(*route) for route in _ROUTES if route[2] in runs)
    return f"""\
# The one address that agents on other hosts reach. A request's credential decides which host it is from.
{{
	admin off
	persist_config off
	skip_install_trust
	auto_https disable_redirects
	http_port 8080
	https_port {PORT}
	# A client that connects to an IP address names no server.
	default_sni {address}
	metrics
	servers {{
		protocols h1 h2
	}}
	log {{
		level WARN
		format json
	}}
{_authority() if tls == "authority" else ""}}}

https://{address} {{
{_tls(tls, email)}	route {{
{open_ones}		map {{header.Authorization}} {{edge_host}} {{
			import {HOSTS}
			default ""
		}}
		@unknown vars {{edge_host}} ""
		header @unknown WWW-Authenticate Bearer
		respond @unknown 401
{routes}		respond 404
	}}
}}
{_status(status, tls, email) if status else ""}
http://:{METRICS_PORT} {{
	route {{
		metrics /metrics
		respond /healthz 200
		respond 404
	}}
}}
"""


def hosts(tokens: Mapping[str, str]) -> str:
    """The file HOSTS: a line for each credential; `tokens` has the host of each."""
    return "# The credentials of the hosts.\n" + "".join(
        f'"Bearer {token}" {host}\n' for token, host in sorted(tokens.items(), key=lambda pair: pair[::-1])
    )


def _authority() -> str:
    return f"""\
	pki {{
		ca edge {{
			name "Edge"
			root {{
				format pem_file
				cert {CERTIFICATE}
				key {KEY}
			}}
		}}
	}}
"""


def _tls(tls: Tls, email: str | None) -> str:
    if tls == "files":
        return f"\ttls {CERTIFICATE} {KEY}\n"
    if tls == "authority":
        return "\ttls {\n\t\tissuer internal {\n\t\t\tca edge\n\t\t}\n\t}\n"
    said = f"\t\t\temail {email}\n" if email else ""
    # The challenge of TLS needs no other port than that of the edge.
    return f"\ttls {{\n\t\tissuer acme {{\n{said}\t\t\tdisable_http_challenge\n\t\t}}\n\t}}\n"


def _pictures(upstream: str) -> str:
    """Those who read a message have no credential; the names of pictures cannot be guessed."""
    return f"""\
		@pictures {{
			method GET HEAD
			path /pictures/*
		}}
		reverse_proxy @pictures {upstream} {{
			header_up -Authorization
		}}
"""


def _browsers(origins: Sequence[str]) -> str:
    """Browsers name the page that they show; the collector answers what they ask before they send."""
    allowed = "".join(f"\t\t\theader Origin {origin}\n" for origin in origins)
    return f"""\
		@browsers {{
			method POST OPTIONS
			path {BROWSERS}/v1/traces
{allowed}		}}
		handle @browsers {{
			request_body {{
				max_size {_MOST_FROM_BROWSERS}
			}}
			uri strip_prefix {BROWSERS}
			reverse_proxy collector:{traces.BROWSERS} {{
				header_up -Authorization
				header_up -Cookie
			}}
		}}
"""


def _status(name: str, tls: Tls, email: str | None) -> str:
    """The status page: files that are there without the program that writes them."""
    return f"""\

https://{name} {{
{_tls(tls, email)}	root * {STATUS}/{PAGES}
	route {{
		header {{
			Cache-Control no-cache
			X-Content-Type-Options nosniff
			X-Frame-Options DENY
			Referrer-Policy no-referrer
		}}
		@read method GET HEAD
		file_server @read
		respond 405
	}}
}}
"""


def _route(name: str, path: str, _: str, upstream: str) -> str:
    return f"""\
		@{name} {{
			method POST
			path {path}
		}}
		reverse_proxy @{name} {upstream} {{
			header_up -Authorization
			header_up -X-Scope-OrgID
		}}
"""
