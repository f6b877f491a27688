"""A MongoDB server with what its exporter requests: the wire protocol, authentication by SCRAM-SHA-256, ping; no data.

No package registry has MongoDB's server. Sources: the specification of OP_MSG and of OP_QUERY for the first hello,
BSON 1.1, RFC 5802 and RFC 7677. Runs with only Python's standard library: mongod.py USER PASSWORD_FILE.
"""

import base64
import hashlib
import hmac
import os
import socketserver
import struct
import sys
from pathlib import Path
from typing import Any

ITERATIONS = 4096


def encode(document: dict[str, Any]) -> bytes:
    """A document as BSON, of the types used here."""
    body = b"".join(_element(name, value) for name, value in document.items())
    return struct.pack("<i", len(body) + 5) + body + b"\0"


def _element(name: str, value: object) -> bytes:
    key = name.encode() + b"\0"
    if isinstance(value, bool):
        return b"\x08" + key + (b"\1" if value else b"\0")
    if isinstance(value, int):
        return b"\x10" + key + struct.pack("<i", value)
    if isinstance(value, float):
        return b"\x01" + key + struct.pack("<d", value)
    if isinstance(value, str):
        text = value.encode() + b"\0"
        return b"\x02" + key + struct.pack("<i", len(text)) + text
    if isinstance(value, bytes):
        return b"\x05" + key + struct.pack("<i", len(value)) + b"\0" + value
    if isinstance(value, list):
        return b"\x04" + key + encode({str(index): item for index, item in enumerate(value)})
    if isinstance(value, dict):
        return b"\x03" + key + encode(value)
    raise TypeError(f"{name}: {type(value)}")


def decode(data: bytes) -> dict[str, Any]:
    """A BSON document; values of a type that is not needed here are skipped by their length."""
    found: dict[str, Any] = {}
    at = 4
    while data[at]:
        kind, end = data[at], data.index(b"\0", at + 1)
        name, at = data[at + 1 : end].decode(), end + 1
        length = struct.unpack_from("<i", data, at)[0] if kind in (2, 3, 4, 5) else 0
        if kind == 2:
            found[name], at = data[at + 4 : at + 3 + length].decode(), at + 4 + length
        elif kind in (3, 4):
            found[name], at = decode(data[at : at + length]), at + length
        elif kind == 5:
            found[name], at = data[at + 5 : at + 5 + length], at + 5 + length
        elif kind == 8:
            found[name], at = bool(data[at]), at + 1
        elif kind == 16:
            found[name], at = struct.unpack_from("<i", data, at)[0], at + 4
        elif kind in (1, 9, 17, 18):
            at += 8
        elif kind == 7:
            at += 12
        elif kind != 10:
            raise ValueError(f"BSON type {kind}")
    return found


class Session:
    """One connection: its user, and the state of its authentication."""

    def __init__(self, user: str, password: str) -> None:
        self.user = user
        self.salt = os.urandom(16)
        self.salted = hashlib.pbkdf2_hmac("sha256", password.encode(), self.salt, ITERATIONS)
        self.first = ""
        self.signed_in = False

    def start(self, payload: bytes) -> dict[str, Any]:
        """The first step of SCRAM."""
        bare = payload.decode().removeprefix("n,,")
        fields = dict(part.split("=", 1) for part in bare.split(","))
        salt = base64.b64encode(self.salt).decode()
        nonce = fields["r"] + base64.b64encode(os.urandom(18)).decode()
        answer = f"r={nonce},s={salt},i={ITERATIONS}"
        self.first = f"{bare},{answer}"
        return {"conversationId": 1, "done": False, "payload": answer.encode(), "ok": 1.0}

    def finish(self, payload: bytes) -> dict[str, Any]:
        """The second step: the client's proof is checked, and the server's is returned."""
        text = payload.decode()
        if not text:
            return {"conversationId": 1, "done": True, "payload": b"", "ok": 1.0}
        without, _, proof = text.rpartition(",p=")
        message = f"{self.first},{without}".encode()
        key = hmac.digest(self.salted, b"Client Key", "sha256")
        signature = hmac.digest(hashlib.sha256(key).digest(), message, "sha256")
        if base64.b64decode(proof) != bytes(a ^ b for a, b in zip(key, signature, strict=True)):
            return {"ok": 0.0, "errmsg": "Authentication failed.", "code": 18, "codeName": "AuthenticationFailed"}
        self.signed_in = True
        ours = hmac.digest(hmac.digest(self.salted, b"Server Key", "sha256"), message, "sha256")
        return {
            "conversationId": 1,
            "done": True,
            "payload": b"v=" + base64.b64encode(ours),
            "ok": 1.0,
        }

    def answer(self, command: dict[str, Any]) -> dict[str, Any]:
        """The response to one command."""
        name = next(iter(command), "")
        if name.lower() in ("hello", "ismaster"):
            found: dict[str, Any] = {
                "helloOk": True,
                "isWritablePrimary": True,
                "ismaster": True,
                "readOnly": False,
                "minWireVersion": 0,
                "maxWireVersion": 21,
                "maxBsonObjectSize": 16777216,
                "maxMessageSizeBytes": 48000000,
                "maxWriteBatchSize": 100000,
                "ok": 1.0,
            }
            if "saslSupportedMechs" in command:
                found["saslSupportedMechs"] = ["SCRAM-SHA-256"]
            speculative = command.get("speculativeAuthenticate")
            if speculative and speculative.get("mechanism") == "SCRAM-SHA-256":
                found["speculativeAuthenticate"] = self.start(speculative["payload"])
            return found
        if name == "saslStart":
            return self.start(command["payload"])
        if name == "saslContinue":
            return self.finish(command["payload"])
        if not self.signed_in:
            return {"ok": 0.0, "errmsg": f"{name} requires authentication", "code": 13, "codeName": "Unauthorized"}
        if name == "ping":
            return {"ok": 1.0}
        if name == "buildInfo":
            return {"version": "7.0.0", "versionArray": [7, 0, 0, 0], "modules": [], "ok": 1.0}
        return {"ok": 0.0, "errmsg": f"no such command: '{name}'", "code": 59, "codeName": "CommandNotFound"}


class Handler(socketserver.BaseRequestHandler):
    """One connection."""

    def handle(self) -> None:
        """Respond until it is closed."""
        session = Session(sys.argv[1], Path(sys.argv[2]).read_text().strip())
        while header := self._read(16):
            length, request, _, kind = struct.unpack("<iiii", header)
            body = self._read(length - 16)
            if kind == 2013:
                answer = b"\0\0\0\0\0" + encode(session.answer(decode(body[5:])))
                self._send(request, 2013, answer)
            elif kind == 2004:
                start = body.index(b"\0", 4) + 9
                reply = encode(session.answer(decode(body[start:])))
                self._send(request, 1, struct.pack("<iqii", 8, 0, 0, 1) + reply)

    def _send(self, request: int, kind: int, body: bytes) -> None:
        self.request.sendall(struct.pack("<iiii", len(body) + 16, 1, request, kind) + body)

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self.request.recv(size - len(data))
            if not piece:
                return b""
            data += piece
        return data


class Server(socketserver.ThreadingTCPServer):
    """One thread per connection."""

    allow_reuse_address = True
    daemon_threads = True


if __name__ == "__main__":
    Server(("0.0.0.0", 27017), Handler).serve_forever()  # noqa: S104 - in a container of its own
