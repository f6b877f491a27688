"""Sends the lifecycle and the index template to Elasticsearch. Run by Python alone, in a folder with its files.

`requests.json`, `address`, `user` and `password` are there; `ca.pem` where the public authorities do not count.
"""

import base64
import http.client
import json
import ssl
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

_WAIT_SECONDS = 120.0
"""How long Elasticsearch may be unreachable or unavailable."""
_PAUSE_SECONDS = 2.0
_TOO_MANY, _UNAVAILABLE = 429, 503


def send(folder: Path, wait: float = _WAIT_SECONDS) -> None:
    """Send everything; the same again changes nothing. SystemExit with the answer that refuses it."""
    address = (folder / "address").read_text().strip().rstrip("/")
    sign_in = f"{(folder / 'user').read_text().strip()}:{(folder / 'password').read_text().strip()}"
    authority = folder / "ca.pem"
    trusted = ssl.create_default_context(cafile=str(authority) if authority.is_file() else None)
    end = time.monotonic() + wait
    for one in json.loads((folder / "requests.json").read_text()):
        request = urllib.request.Request(  # noqa: S310 - the address is that of the settings, by HTTP or HTTPS
            address + one["path"],
            data=json.dumps(one["document"]).encode(),
            method="PUT",
            headers={
                "Content-Type": "application/json",
                "Authorization": f"Basic {base64.b64encode(sign_in.encode()).decode()}",
            },
        )
        while (problem := _refused(request, trusted)) is not None:
            if time.monotonic() > end:
                sys.exit(f"{address}{one['path']}: {problem}")
            time.sleep(_PAUSE_SECONDS)


def _refused(request: urllib.request.Request, trusted: ssl.SSLContext) -> str | None:
    """None where it was accepted, else why not now; SystemExit where it never will be."""
    try:
        with urllib.request.urlopen(request, timeout=30, context=trusted):  # noqa: S310 - as above
            return None
    except urllib.error.HTTPError as error:
        said = f"HTTP {error.code}: {error.read().decode(errors='replace')[:1000]}"
        if error.code in (_TOO_MANY, _UNAVAILABLE):
            return said
        sys.exit(f"{request.full_url}: {said}")
    except (OSError, http.client.HTTPException) as error:
        if isinstance(getattr(error, "reason", error), ssl.SSLCertVerificationError):
            sys.exit(f"{request.full_url}: {error}")
        return str(error)


if __name__ == "__main__":
    send(Path())
