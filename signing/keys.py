"""Private keys that have proved themselves, and checks with public keys.

A :class:`SigningKey` is opened once and kept for the life of the process. Public keys travel as the DER of their
SubjectPublicKeyInfo (``spki_der``); a parsed one is kept, so checking with the same key again costs no parsing.
"""

import base64
import binascii
import hashlib
import os
from enum import StrEnum
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
)

from signing import der
from signing.errors import Fault, KeyUnusableError, VerificationError

KID_BYTES: Final = 8
RAW_SIGNATURE_BYTES: Final = 64
_COORDINATE_BYTES: Final = 32
_SHA256_BYTES: Final = 32
_RSA_EXPONENT: Final = 65537

# RFC 7914, 2 and 7: scrypt with 16 MiB, the cost that OpenSSL writes too.
_SCRYPT_COST, _SCRYPT_BLOCK, _SCRYPT_LANES = 1 << 14, 8, 1
_OID_PBES2: Final = bytes.fromhex("2a864886f70d01050d")  # RFC 8018, A.4
_OID_SCRYPT: Final = bytes.fromhex("2b06010401da47040b")  # RFC 7914, 7
_OID_AES256_CBC: Final = bytes.fromhex("60864801650304012a")  # RFC 8018, B.2.5

_ECDSA: Final = ec.ECDSA(Prehashed(hashes.SHA256()))
_PKCS1: Final = padding.PKCS1v15()
_PREHASHED: Final = Prehashed(hashes.SHA256())

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey
_PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class KeyAlgorithm(StrEnum):
    """The kinds of key that seal or sign here; wire-stable."""

    P256 = "p256"
    RSA2048 = "rsa-2048"
    RSA3072 = "rsa-3072"


_RSA_BITS: Final = {KeyAlgorithm.RSA2048: 2048, KeyAlgorithm.RSA3072: 3072}


class SigningKey:
    """An opened private key that has signed and verified a probe.

    Safe to use from many threads. It cannot be pickled: another process opens the key itself.
    """

    __slots__ = ("algorithm", "kid", "private_key", "spki_der")

    algorithm: KeyAlgorithm
    """What kind of key it is."""
    spki_der: bytes
    """Its public half, DER of the SubjectPublicKeyInfo."""
    kid: bytes
    """First 8 bytes of SHA-256 over ``spki_der``."""
    private_key: _PrivateKey
    """The key itself, for ``signing.certificates`` only; everybody else signs digests."""

    def __init__(self, private_key: object) -> None:
        """Take a private key of the ``cryptography`` package and let it prove itself.

        Raises:
            KeyUnusableError: Another kind of key, or its signature over a probe does not verify.
        """
        if not isinstance(private_key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
            raise KeyUnusableError("neither an EC nor an RSA private key")
        self.private_key = private_key
        self.spki_der = private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        try:
            self.algorithm = algorithm_of(self.spki_der)
            self.kid = kid_of(self.spki_der)
            probe = os.urandom(_SHA256_BYTES)
            verify_digest(self.spki_der, sha256=probe, signature=self.sign_digest(probe))
        except VerificationError as error:
            raise KeyUnusableError(f"the key failed its probe: {error.detail}") from error

    def sign_digest(self, sha256: bytes) -> bytes:
        """Return the signature over a SHA-256 digest: DER ECDSA, or PKCS #1 v1.5 for RSA."""
        if len(sha256) != _SHA256_BYTES:
            raise KeyUnusableError("a SHA-256 digest has 32 bytes")
        if isinstance(self.private_key, ec.EllipticCurvePrivateKey):
            return self.private_key.sign(sha256, _ECDSA)
        return self.private_key.sign(sha256, _PKCS1, _PREHASHED)

    def sign_raw(self, sha256: bytes) -> bytes:
        """Return r and s of an ES256 signature over a SHA-256 digest, 64 bytes (RFC 7518, 3.4; RFC 9053, 2.1).

        Raises:
            KeyUnusableError: The key is not P-256.
        """
        if self.algorithm is not KeyAlgorithm.P256:
            raise KeyUnusableError("only a P-256 key makes ES256 signatures")
        r, s = decode_dss_signature(self.sign_digest(sha256))
        return r.to_bytes(_COORDINATE_BYTES, "big") + s.to_bytes(_COORDINATE_BYTES, "big")

    def encrypted_pem(self, passphrase: bytes, *, cost: int = _SCRYPT_COST) -> bytes:
        """Return the key as encrypted PKCS #8 in PEM: PBES2 with scrypt and AES-256-CBC, as OpenSSL reads it.

        ``cost`` is scrypt's N, a power of two from 256 to 16,384.

        Raises:
            KeyUnusableError: The passphrase is empty.
        """
        if not passphrase:
            raise KeyUnusableError("a key is not written without a passphrase")
        plain_der = self.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        salt, start = os.urandom(16), os.urandom(16)
        secret = hashlib.scrypt(
            passphrase,
            salt=salt,
            n=cost,
            r=_SCRYPT_BLOCK,
            p=_SCRYPT_LANES,
            dklen=32,
        )
        padder = PKCS7(128).padder()
        encryptor = Cipher(algorithms.AES(secret), modes.CBC(start)).encryptor()
        sealed = encryptor.update(padder.update(plain_der) + padder.finalize()) + encryptor.finalize()
        costs = (cost.to_bytes(2, "big"), bytes((_SCRYPT_BLOCK,)), bytes((_SCRYPT_LANES,)))
        kdf = der.tlv(
            der.SEQUENCE,
            der.tlv(der.OBJECT_IDENTIFIER, _OID_SCRYPT),
            der.tlv(der.SEQUENCE, der.tlv(der.OCTET_STRING, salt), *(der.tlv(der.INTEGER, cost) for cost in costs)),
        )
        cipher = der.tlv(
            der.SEQUENCE,
            der.tlv(der.OBJECT_IDENTIFIER, _OID_AES256_CBC),
            der.tlv(der.OCTET_STRING, start),
        )
        algorithm = der.tlv(
            der.SEQUENCE, der.tlv(der.OBJECT_IDENTIFIER, _OID_PBES2), der.tlv(der.SEQUENCE, kdf, cipher)
        )
        return _pem(der.tlv(der.SEQUENCE, algorithm, der.tlv(der.OCTET_STRING, sealed)))

    def __repr__(self) -> str:
        """Name the key without showing it."""
        return f"SigningKey({self.algorithm.value}, kid={self.kid.hex()})"

    def __reduce__(self) -> str:
        """Refuse to leave the process."""
        raise KeyUnusableError("a private key is not copied or pickled")


def generate_key(algorithm: KeyAlgorithm) -> SigningKey:
    """Return a new key from the system's random source."""
    if algorithm is KeyAlgorithm.P256:
        return SigningKey(ec.generate_private_key(ec.SECP256R1()))
    return SigningKey(rsa.generate_private_key(public_exponent=_RSA_EXPONENT, key_size=_RSA_BITS[algorithm]))


def open_key(pem: bytes, passphrase: bytes) -> SigningKey:
    """Return the key in an encrypted PKCS #8 PEM.

    Raises:
        KeyUnusableError: Not such a file, wrong passphrase, an unencrypted key, an unsupported kind, or the
            key fails its probe.
    """
    if b"-----BEGIN ENCRYPTED PRIVATE KEY-----" not in pem:
        raise KeyUnusableError("not an encrypted private key in PEM (PKCS #8)")
    try:
        private_key = load_pem_private_key(pem, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm, binascii.Error) as error:
        raise KeyUnusableError("wrong passphrase, or the key file is damaged") from error
    return SigningKey(private_key)


def kid_of(spki_der: bytes) -> bytes:
    """Return the key id: the first 8 bytes of SHA-256 over the SubjectPublicKeyInfo."""
    return hashlib.sha256(spki_der).digest()[:KID_BYTES]


def algorithm_of(spki_der: bytes) -> KeyAlgorithm:
    """Return the kind of a public key.

    Raises:
        VerificationError: ``malformed``: not DER of a public key in its one accepted form. ``wrong_key``: a kind
            that is not used here (another curve, another RSA size or exponent).
    """
    key = public_key(spki_der)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return KeyAlgorithm.P256
    return next(name for name, bits in _RSA_BITS.items() if bits == key.key_size)


@lru_cache(maxsize=1024)
def public_key(spki_der: bytes) -> PublicKey:
    """Return the parsed public key; the same bytes are parsed once.

    Raises:
        VerificationError: As :func:`algorithm_of`.
    """
    try:
        key = load_der_public_key(spki_der)
        canonical = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise VerificationError(Fault.MALFORMED, "not a public key") from error
    if canonical != spki_der:
        # One key must have one id; a compressed point or a stray parameter would give it a second one.
        raise VerificationError(Fault.MALFORMED, "the public key is not in its plain form")
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    if isinstance(key, rsa.RSAPublicKey) and key.key_size in _RSA_BITS.values():
        if key.public_numbers().e == _RSA_EXPONENT:
            return key
        raise VerificationError(Fault.WRONG_KEY, "an RSA key needs the exponent 65537")
    raise VerificationError(Fault.WRONG_KEY, "only P-256, RSA-2048 and RSA-3072 keys are used")


def verify_digest(spki_der: bytes, *, sha256: bytes, signature: bytes) -> None:
    """Check a signature over a SHA-256 digest: DER ECDSA for P-256, PKCS #1 v1.5 for RSA.

    Raises:
        VerificationError: ``bad_signature``, or as :func:`algorithm_of`.
    """
    key = public_key(spki_der)
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, sha256, _ECDSA)
        else:
            key.verify(signature, sha256, _PKCS1, _PREHASHED)
    except (InvalidSignature, ValueError) as error:
        raise VerificationError(Fault.BAD_SIGNATURE, "the signature does not fit") from error


def verify_raw(spki_der: bytes, *, sha256: bytes, signature: bytes) -> None:
    """Check an ES256 signature of 64 bytes r and s over a SHA-256 digest.

    A high s is accepted: both forms of a signature verify, so its bytes are no identity.

    Raises:
        VerificationError: ``bad_signature``: it does not fit, r or s is zero or out of range, or it has not 64
            bytes. ``wrong_key``: the key is not P-256. ``malformed``: not a public key.
    """
    key = public_key(spki_der)
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise VerificationError(Fault.WRONG_KEY, "ES256 needs a P-256 key")
    if len(signature) != RAW_SIGNATURE_BYTES:
        raise VerificationError(Fault.BAD_SIGNATURE, "an ES256 signature has 64 bytes")
    r = int.from_bytes(signature[:_COORDINATE_BYTES], "big")
    s = int.from_bytes(signature[_COORDINATE_BYTES:], "big")
    try:
        key.verify(encode_dss_signature(r, s), sha256, _ECDSA)
    except (InvalidSignature, ValueError) as error:
        raise VerificationError(Fault.BAD_SIGNATURE, "the signature does not fit") from error


def _pem(encrypted_der: bytes) -> bytes:
    """Return EncryptedPrivateKeyInfo in PEM, lines of 64 characters (RFC 7468, 11)."""
    flat = base64.b64encode(encrypted_der)
    lines = b"".join(flat[at : at + 64] + b"\n" for at in range(0, len(flat), 64))
    return b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n" + lines + b"-----END ENCRYPTED PRIVATE KEY-----\n"
