"""A throwaway public key infrastructure that really signs: a root, a pack-signing key, agencies with two keys each.

Session-scoped: ``throwaway_pki()`` makes it once for a test session; nothing in it changes.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Self

from signing.certificates import create_root, issue_certificate
from signing.jws import JsonValue
from signing.keys import KeyAlgorithm, SigningKey, generate_key
from signing.trust import KeyPurpose, TrustedKey, TrustPack, sign_delegation, sign_pack

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
"""Start of every key and certificate."""
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
"""The moment at which tests play, unless they say otherwise."""
END = datetime(2031, 1, 1, tzinfo=UTC)
"""End of every key and certificate of an agency."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ThrowawayAgency:
    """An agency with a seal key, its certificate and a token key."""

    code: str
    name: str
    seal_key: SigningKey
    seal_cert_der: bytes
    token_key: SigningKey

    def trusted_keys(self) -> tuple[TrustedKey, TrustedKey]:
        """Its seal key and its token key as the trust pack has them."""
        return (
            TrustedKey(
                kid=self.seal_key.kid,
                purpose=KeyPurpose.SEAL,
                algorithm="ES256" if self.seal_key.algorithm is KeyAlgorithm.P256 else "RS256",
                spki_der=self.seal_key.spki_der,
                owner=self.code,
                not_before_at=BEGIN,
                not_after_at=END,
                certificate_der=self.seal_cert_der,
            ),
            TrustedKey(
                kid=self.token_key.kid,
                purpose=KeyPurpose.TOKEN,
                algorithm="ES256",
                spki_der=self.token_key.spki_der,
                owner=self.code,
                not_before_at=BEGIN,
                not_after_at=END,
            ),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ThrowawayPki:
    """A root with two P-256 agencies and one RSA agency."""

    root_key: SigningKey
    root_cert_der: bytes
    pack_key: SigningKey
    delegation: str
    agencies: tuple[ThrowawayAgency, ...]

    @classmethod
    def new(cls) -> Self:
        """Make a fresh one; takes a fraction of a second."""
        root_key = generate_key(KeyAlgorithm.P256)
        root_cert_der = create_root(
            root_key,
            common_name="Throwaway Root 仅供测试",
            organisation="Throwaway Licence Library",
            not_before_at=BEGIN - timedelta(days=1),
            not_after_at=END + timedelta(days=3650),
        )
        pack_key = generate_key(KeyAlgorithm.P256)
        known = (
            ("11330200MB1A2B3C4D", "明州市市场监督管理局", KeyAlgorithm.P256),
            ("SEAFAS", "City of Example, Finance and Administrative Services", KeyAlgorithm.P256),
            ("11330200MB9Z8Y7X6W", "明州市卫生健康委员会", KeyAlgorithm.RSA2048),
        )
        return cls(
            root_key=root_key,
            root_cert_der=root_cert_der,
            pack_key=pack_key,
            delegation=sign_delegation(root_key, pack_key, BEGIN, END),
            agencies=tuple(_agency(root_key, root_cert_der, code, name, kind) for code, name, kind in known),
        )

    @property
    def anchor_spki_der(self) -> bytes:
        """What a verifier is given by another way."""
        return self.root_key.spki_der

    def trusted_keys(self) -> tuple[TrustedKey, ...]:
        """All keys of all agencies."""
        return tuple(key for agency in self.agencies for key in agency.trusted_keys())

    def pack(
        self,
        *,
        version: int = 1,
        issued_at: datetime = NOW - timedelta(hours=1),
        keys: tuple[TrustedKey, ...] | None = None,
        body: dict[str, JsonValue] | None = None,
    ) -> TrustPack:
        """Return a trust pack of all agencies, due again after seven days."""
        return TrustPack(
            version=version,
            issued_at=issued_at,
            next_update_at=issued_at + timedelta(days=7),
            issuer="Throwaway Licence Library",
            roots_der=(self.root_cert_der,),
            keys=self.trusted_keys() if keys is None else keys,
            body=body if body is not None else {},
        )

    def pack_file(self, pack: TrustPack | None = None) -> bytes:
        """Return the signed file of a pack."""
        return sign_pack(pack or self.pack(), pack_key=self.pack_key, delegation=self.delegation)


@cache
def throwaway_pki() -> ThrowawayPki:
    """Return the one PKI of this test session."""
    return ThrowawayPki.new()


def _agency(
    root_key: SigningKey, root_cert_der: bytes, code: str, name: str, algorithm: KeyAlgorithm
) -> ThrowawayAgency:
    seal_key = generate_key(algorithm)
    seal_cert_der = issue_certificate(
        root_key=root_key,
        root_cert_der=root_cert_der,
        subject_name=name,
        subject_code=code,
        spki_der=seal_key.spki_der,
        not_before_at=BEGIN,
        not_after_at=END,
    )
    return ThrowawayAgency(
        code=code,
        name=name,
        seal_key=seal_key,
        seal_cert_der=seal_cert_der,
        token_key=generate_key(KeyAlgorithm.P256),
    )
