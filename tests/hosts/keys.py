"""Keys and certificates of one run of the tests: an authority, a server and a client of its own, and SSH keys."""

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_LIFE = datetime.timedelta(days=1)
_SIGNS = x509.KeyUsage(
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


@dataclass(frozen=True, kw_only=True)
class Pair:
    """The files of a certificate and its private key, in PEM."""

    certificate: Path
    key: Path


@dataclass(frozen=True, kw_only=True)
class TlsFiles:
    """The files that an engine on TCP and its clients need."""

    authority: Path
    server: Pair
    client: Pair

    @property
    def folder(self) -> Path:
        """Folder with the client's `ca.pem`, `cert.pem` and `key.pem`, as DOCKER_CERT_PATH names one."""
        return self.authority.parent


def tls_files(folder: Path, address: str) -> TlsFiles:
    """An authority, a server's certificate for an IP address, and a client's certificate, below `folder`."""
    folder.mkdir(parents=True)
    authority_key = ec.generate_private_key(ec.SECP256R1())
    name = _name("test authority")
    constraints = x509.BasicConstraints(ca=True, path_length=0)
    authority = _certificate(name, name, authority_key.public_key(), authority_key, constraints, _SIGNS)
    file = folder / "ca.pem"
    file.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    use = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    return TlsFiles(
        authority=file,
        server=_pair(folder, "server-", name, authority_key, alternative),
        client=_pair(folder, "", name, authority_key, use),
    )


def ssh_key(file: Path) -> str:
    """Write a new private key that only the owner can read; returns its public key in OpenSSH's form."""
    key = ed25519.Ed25519PrivateKey.generate()
    file.touch(0o600)
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return public.decode()


def _pair(
    folder: Path, name: str, issuer: x509.Name, signer: ec.EllipticCurvePrivateKey, extension: x509.ExtensionType
) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate(_name(name or "client"), issuer, key.public_key(), signer, extension)
    pair = Pair(certificate=folder / f"{name}cert.pem", key=folder / f"{name}key.pem")
    pair.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    pair.key.touch(0o600)
    pair.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return pair


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    signer: ec.EllipticCurvePrivateKey,
    *extensions: x509.ExtensionType,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - _LIFE).not_valid_after(now + _LIFE)
    # Python 3.13 and later verify strictly, which wants the identifiers of both keys.
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    builder = builder.add_extension(identifier, critical=False)
    for extension in extensions:
        builder = builder.add_extension(
            extension, critical=isinstance(extension, x509.BasicConstraints | x509.KeyUsage)
        )
    return builder.sign(signer, hashes.SHA256())


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
