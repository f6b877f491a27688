"""Certificate authorities of the stack: that of the edge, which agents trust alone, and those of single parts."""

import datetime
from collections.abc import Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

LIFE: Final = datetime.timedelta(days=3653)
"""How long an authority is valid."""
RENEWED: Final = datetime.timedelta(days=365)
"""An authority that expires within this time is replaced by the next update of the stack."""

_SKEW: Final = datetime.timedelta(hours=1)
"""How far the clock of another host may be behind."""


def make(certificate: str, key: str, common_name: str) -> Mapping[str, str]:
    """A new authority: its certificate and its private key, PEM, by the names of the two secrets."""
    # Imported here, as it takes a tenth of a second.
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = datetime.datetime.now(datetime.UTC)
    use = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    # Caddy signs with an intermediate authority of a week, so below this one there may be one more.
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(use, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    signed = builder.sign(private, hashes.SHA256())
    return {certificate: signed.public_bytes(serialization.Encoding.PEM).decode(), key: _pem(private)}


def with_servers(
    certificate: str, servers: Mapping[str, tuple[str, str]], common_name: str, names: tuple[str, ...]
) -> Mapping[str, str]:
    """A new authority and the certificates that it signs, after which its key is thrown away.

    `certificate` is the secret with that of the authority; `servers` are the secrets with the certificate and the key
    of each server, by its host name. Each is also valid for `names`, which are host names or addresses.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    made = make(certificate, "key", common_name)
    authority = x509.load_pem_x509_certificate(made[certificate].encode())
    signing = serialization.load_pem_private_key(made["key"].encode(), None)
    found = {certificate: made[certificate]}
    for server, (its_certificate, its_key) in servers.items():
        # RSA: every version of Java, Node.js and Netty accepts it.
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, server)]))
            .issuer_name(authority.subject)
            .public_key(private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(authority.not_valid_before_utc)
            .not_valid_after(authority.not_valid_after_utc)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([_name(name) for name in (server, *names)]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()),  # type: ignore[arg-type]
                critical=False,
            )
        )
        signed = builder.sign(signing, hashes.SHA256())  # type: ignore[arg-type]  # the kind of key made above
        found |= {its_certificate: signed.public_bytes(serialization.Encoding.PEM).decode(), its_key: _pem(private)}
    return found


def _name(name: str) -> "x509.GeneralName":
    from cryptography import x509

    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(key: "PrivateKeyTypes") -> str:
    from cryptography.hazmat.primitives import serialization

    pem, kind = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(pem, kind, serialization.NoEncryption()).decode()


def due(certificate: str) -> bool:
    """Whether a stored authority must be replaced: it expires soon, or is no certificate."""
    from cryptography import x509

    try:
        expires = x509.load_pem_x509_certificate(certificate.encode()).not_valid_after_utc
    except ValueError:
        return True
    return expires - datetime.datetime.now(datetime.UTC) < RENEWED
