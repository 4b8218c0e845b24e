"""Sealers of every key algorithm under the throwaway root, look-alikes of them, and small sealed files."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import pytest
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from signing.certificates import create_root, issue_certificate
from signing.cms import CmsSealer
from signing.errors import Fault, VerificationError
from signing.keys import KeyAlgorithm, SigningKey, generate_key
from signing.pades import verify_seal
from signing.timestamps import LocalTimestampAuthority
from tests.support.pki import BEGIN, END, NOW, throwaway_pki
from tests.support.tiny_pdf import Oddities, tiny_pdf

AGENCY_NAME = "明州市市场监督管理局（试验）"
AGENCY_CODE = "11330200MB1A2B3C4D"
SEALED_AT = datetime(2026, 6, 1, 4, 30, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Seat:
    """A sealing key with its certificate."""

    key: SigningKey
    cert_der: bytes
    root_der: bytes

    def sealer(self) -> CmsSealer:
        return CmsSealer(self.key, (self.cert_der,))

    def pdf(self, *, sealed_at: datetime = SEALED_AT, text: str = "LICENCE 0001", odd: Oddities | None = None) -> bytes:
        sealer = self.sealer()
        return tiny_pdf(sealed_at=sealed_at, reserve_bytes=sealer.reserve_bytes, text=text, odd=odd).seal(sealer)


def certified(
    key: SigningKey, *, not_before_at: datetime = BEGIN, not_after_at: datetime = END, timestamping: bool = False
) -> Seat:
    """A seat for this key under the throwaway root."""
    pki = throwaway_pki()
    cert_der = issue_certificate(
        root_key=pki.root_key,
        root_cert_der=pki.root_cert_der,
        subject_name=AGENCY_NAME,
        subject_code=AGENCY_CODE,
        spki_der=key.spki_der,
        not_before_at=not_before_at,
        not_after_at=not_after_at,
        timestamping=timestamping,
    )
    return Seat(key=key, cert_der=cert_der, root_der=pki.root_cert_der)


@cache
def seat(algorithm: KeyAlgorithm = KeyAlgorithm.P256) -> Seat:
    return certified(generate_key(algorithm))


@cache
def look_alike() -> Seat:
    """Everything as in :func:`seat`, names and codes too, under a root that somebody else made with the same names."""
    root_key, key = generate_key(KeyAlgorithm.P256), generate_key(KeyAlgorithm.P256)
    root_der = create_root(
        root_key,
        common_name="Throwaway Root 仅供测试",
        organisation="Throwaway Licence Library",
        not_before_at=BEGIN,
        not_after_at=END,
    )
    cert_der = issue_certificate(
        root_key=root_key,
        root_cert_der=root_der,
        subject_name=AGENCY_NAME,
        subject_code=AGENCY_CODE,
        spki_der=key.spki_der,
        not_before_at=BEGIN,
        not_after_at=END,
    )
    return Seat(key=key, cert_der=cert_der, root_der=root_der)


@cache
def _authority_key(algorithm: KeyAlgorithm) -> SigningKey:
    return generate_key(algorithm)


def authority(
    *,
    algorithm: KeyAlgorithm = KeyAlgorithm.RSA2048,
    timestamping: bool = True,
    not_before_at: datetime = BEGIN,
    now: Callable[[], datetime] = lambda: NOW,
) -> LocalTimestampAuthority:
    """A time stamping authority under the throwaway root."""
    pki = throwaway_pki()
    key = _authority_key(algorithm)
    cert_der = issue_certificate(
        root_key=pki.root_key,
        root_cert_der=pki.root_cert_der,
        subject_name="试验时间戳",
        subject_code="TSA",
        spki_der=key.spki_der,
        not_before_at=not_before_at,
        not_after_at=END,
        timestamping=timestamping,
    )
    return LocalTimestampAuthority(key, cert_der, now=now)


def fault_of(pdf: bytes, *, now: datetime = NOW, roots_der: tuple[bytes, ...] | None = None) -> Fault:
    """The fault that a full judgement finds; a valid file fails the test."""
    with pytest.raises(VerificationError) as caught:
        verify_seal(pdf, roots_der=(throwaway_pki().root_cert_der,) if roots_der is None else roots_der, now=now)
    return caught.value.fault


def asn1_certificate(cert_der: bytes) -> asn1_x509.Certificate:
    """For libraries that take certificates of asn1crypto."""
    return asn1_x509.Certificate.load(cert_der)


def asn1_key(key: SigningKey) -> asn1_keys.PrivateKeyInfo:
    """For libraries that take keys of asn1crypto."""
    return asn1_keys.PrivateKeyInfo.load(
        key.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    )
