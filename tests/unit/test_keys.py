"""Keys: they prove themselves, are encrypted at rest, and refuse what is not theirs."""

import hashlib
import os
import pickle

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from signing.errors import Fault, KeyUnusableError, VerificationError
from signing.keys import (
    KeyAlgorithm,
    SigningKey,
    algorithm_of,
    generate_key,
    kid_of,
    open_key,
    verify_digest,
    verify_raw,
)

DIGEST = hashlib.sha256(b"message").digest()
SECRET = b"correct horse"


@pytest.fixture(scope="module", params=list(KeyAlgorithm), ids=str)
def key(request: pytest.FixtureRequest) -> SigningKey:
    return generate_key(request.param)


@pytest.fixture(scope="module")
def p256() -> SigningKey:
    return generate_key(KeyAlgorithm.P256)


def test_a_key_knows_its_kind_and_its_id(key: SigningKey) -> None:
    assert algorithm_of(key.spki_der) is key.algorithm
    assert key.kid == hashlib.sha256(key.spki_der).digest()[:8] == kid_of(key.spki_der)


def test_digest_signatures_verify(key: SigningKey) -> None:
    verify_digest(key.spki_der, sha256=DIGEST, signature=key.sign_digest(DIGEST))


def test_digest_signatures_of_something_else_do_not(key: SigningKey) -> None:
    with pytest.raises(VerificationError) as caught:
        verify_digest(key.spki_der, sha256=bytes(32), signature=key.sign_digest(DIGEST))
    assert caught.value.fault is Fault.BAD_SIGNATURE


@pytest.mark.parametrize("signature", [b"", b"\x30\x00", bytes(64), bytes(256), os.urandom(70)], ids=len)
def test_noise_is_no_signature(key: SigningKey, signature: bytes) -> None:
    with pytest.raises(VerificationError) as caught:
        verify_digest(key.spki_der, sha256=DIGEST, signature=signature)
    assert caught.value.fault is Fault.BAD_SIGNATURE


def test_a_digest_has_32_bytes(key: SigningKey) -> None:
    with pytest.raises(KeyUnusableError):
        key.sign_digest(b"short")


def test_raw_signatures_have_64_bytes_and_verify(p256: SigningKey) -> None:
    for _ in range(50):  # some r or s begin with zero bytes
        signature = p256.sign_raw(DIGEST)
        assert len(signature) == 64
        verify_raw(p256.spki_der, sha256=DIGEST, signature=signature)


@pytest.mark.parametrize("length", [0, 63, 65, 72])
def test_raw_signatures_of_another_length_do_not_verify(p256: SigningKey, length: int) -> None:
    with pytest.raises(VerificationError) as caught:
        verify_raw(p256.spki_der, sha256=DIGEST, signature=(p256.sign_raw(DIGEST) * 2)[:length])
    assert caught.value.fault is Fault.BAD_SIGNATURE


def test_rsa_makes_and_checks_no_raw_signatures() -> None:
    rsa_key = generate_key(KeyAlgorithm.RSA2048)
    with pytest.raises(KeyUnusableError):
        rsa_key.sign_raw(DIGEST)
    with pytest.raises(VerificationError) as caught:
        verify_raw(rsa_key.spki_der, sha256=DIGEST, signature=bytes(64))
    assert caught.value.fault is Fault.WRONG_KEY


def test_a_key_file_opens_with_its_passphrase_only(key: SigningKey) -> None:
    pem = key.encrypted_pem(SECRET)
    assert open_key(pem, SECRET).kid == key.kid
    for wrong in (b"correct hors", b"", b"\x00"):
        with pytest.raises(KeyUnusableError):
            open_key(pem, wrong)


def test_a_key_file_is_never_the_same_twice(p256: SigningKey) -> None:
    assert p256.encrypted_pem(SECRET) != p256.encrypted_pem(SECRET)


def test_a_key_file_shows_nothing_of_the_key(p256: SigningKey) -> None:
    plain = p256.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).splitlines()[1:-1]
    assert not set(plain) & set(p256.encrypted_pem(SECRET).splitlines())


def test_other_programs_key_files_open_too() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(SECRET))
    expected = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert open_key(pem, SECRET).spki_der == expected


def test_an_unencrypted_key_file_is_refused(p256: SigningKey) -> None:
    pem = p256.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(KeyUnusableError):
        open_key(pem, SECRET)


@pytest.mark.parametrize("damage", [b"", b"-----BEGIN ENCRYPTED PRIVATE KEY-----", b"\x00" * 100])
def test_a_damaged_key_file_is_refused(damage: bytes) -> None:
    with pytest.raises(KeyUnusableError):
        open_key(damage, SECRET)


def test_a_cut_key_file_is_refused(p256: SigningKey) -> None:
    pem = p256.encrypted_pem(SECRET)
    for cut in (40, 100, len(pem) - 60):
        with pytest.raises(KeyUnusableError):
            open_key(pem[:cut] + b"\n-----END ENCRYPTED PRIVATE KEY-----\n", SECRET)


def test_a_key_is_not_written_without_passphrase(p256: SigningKey) -> None:
    with pytest.raises(KeyUnusableError):
        p256.encrypted_pem(b"")


@pytest.mark.parametrize(
    "private",
    [
        ed25519.Ed25519PrivateKey.generate(),
        ec.generate_private_key(ec.SECP384R1()),
        ec.generate_private_key(ec.SECP256K1()),
        rsa.generate_private_key(public_exponent=65537, key_size=1024),  # noqa: S505  # the very thing that is refused
        rsa.generate_private_key(public_exponent=3, key_size=2048),
        "no key at all",
    ],
    ids=lambda key: type(key).__name__,
)
def test_other_kinds_of_keys_are_refused(private: object) -> None:
    with pytest.raises(KeyUnusableError):
        SigningKey(private)


def test_a_key_shows_and_copies_nothing(p256: SigningKey) -> None:
    assert repr(p256) == f"SigningKey(p256, kid={p256.kid.hex()})"
    with pytest.raises(KeyUnusableError):
        pickle.dumps(p256)


def test_a_public_key_has_one_form_only(p256: SigningKey) -> None:
    assert isinstance(p256.private_key, ec.EllipticCurvePrivateKey)
    point = p256.private_key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    compressed = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200") + point
    for other in (compressed, p256.spki_der + b"\x00", p256.spki_der[:-1], b"", b"\x30\x00"):
        with pytest.raises(VerificationError) as caught:
            algorithm_of(other)
        assert caught.value.fault is Fault.MALFORMED


def test_a_point_off_the_curve_is_no_key(p256: SigningKey) -> None:
    with pytest.raises(VerificationError) as caught:
        algorithm_of(p256.spki_der[:-1] + bytes([p256.spki_der[-1] ^ 1]))
    assert caught.value.fault is Fault.MALFORMED
