"""HTTP of the tests to servers that they start: one client, as `httpx.get` loads all certificates for each request."""

from typing import Final

import httpx

HTTP: Final = httpx.Client(trust_env=False, timeout=60, limits=httpx.Limits(max_keepalive_connections=0))
"""Without proxies, and with a connection for each request: a server may be restarted between two."""
