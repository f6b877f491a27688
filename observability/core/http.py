"""HTTP requests to servers.

httpx reads the trusted authorities again for each request, also of a plain address; that takes longer than the
request. Here they are read once, for the first request. httpx itself is imported then, as many commands ask nobody.
"""

from functools import cache, partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl

    import httpx


@cache
def trusted() -> "ssl.SSLContext":
    """The authorities that httpx trusts."""
    import httpx

    return httpx.create_ssl_context()


def request(method: str, url: str, **more: Any) -> "httpx.Response":  # noqa: ANN401 - the arguments of httpx.request
    """As `httpx.request`."""
    import httpx

    return httpx.request(method, url, **({"verify": trusted()} | more))


def client(**more: Any) -> "httpx.Client":  # noqa: ANN401 - the arguments of httpx.Client
    """As `httpx.Client`."""
    import httpx

    return httpx.Client(**({"verify": trusted()} | more))


get = partial(request, "GET")
post = partial(request, "POST")
put = partial(request, "PUT")
delete = partial(request, "DELETE")
