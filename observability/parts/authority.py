"""The stack's own certificate authority: it signs the certificates of the edge, and agents trust it alone."""

import datetime
from collections.abc import Mapping
from typing import Final

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
    pem = serialization.Encoding.PEM
    return {
        certificate: signed.public_bytes(pem).decode(),
        key: private.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode(),
    }


def due(certificate: str) -> bool:
    """Whether a stored authority must be replaced: it expires soon, or is no certificate."""
    from cryptography import x509

    try:
        expires = x509.load_pem_x509_certificate(certificate.encode()).not_valid_after_utc
    except ValueError:
        return True
    return expires - datetime.datetime.now(datetime.UTC) < RENEWED
