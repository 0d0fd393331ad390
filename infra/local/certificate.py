"""A self-signed certificate for 127.0.0.1, so that clients speak TLS to simulators as to Azure."""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from infra.local.private_file import write_private


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its private key, as PEM files."""

    certificate_file: Path
    """Also what a client must trust: the certificate has signed itself."""
    key_file: Path

    @classmethod
    def kept_in(cls, folder: Path) -> Self:
        """Return the certificate of this folder, made at the first call and good for ten years."""
        certificate = cls(folder / "certificate.pem", folder / "certificate-key.pem")
        if not certificate.certificate_file.exists():
            certificate._make()
        return certificate

    def _make(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        write_private(
            self.key_file,
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "LMS connector, local tenant")])
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        now = datetime.now(UTC)
        signed = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=3650))
            .add_extension(
                x509.SubjectAlternativeName(
                    [
                        x509.IPAddress(ipaddress.IPv4Address("127.0.0.1")),
                        x509.DNSName("localhost"),
                    ]
                ),
                critical=False,
            )
            # Python's default context has checked certificates strictly since 3.13 and wants all of these.
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=True,
                    key_cert_sign=True,
                    crl_sign=False,
                    content_commitment=False,
                    key_encipherment=False,
                    data_encipherment=False,
                    key_agreement=False,
                    encipher_only=False,
                    decipher_only=False,
                ),
                critical=True,
            )
            .add_extension(identifier, critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
            .sign(key, hashes.SHA256())
        )
        self.certificate_file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
