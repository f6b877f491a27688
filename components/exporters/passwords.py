"""Passwords of watched servers, as a secret holds them."""


def read(text: str) -> dict[tuple[str, str], str]:
    """Password by `host:port` and user, of lines `host:port:user:password`; other lines count as comments."""
    found = {}
    for line in text.splitlines():
        fields = line.split(":", 3)
        if len(fields) == 4:
            host, port, user, password = fields
            found[f"{host}:{port}", user] = password
    return found
