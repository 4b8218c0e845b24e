"""Timestamps by RFC 3161: asking an authority over HTTP, judging its token, and a small authority of our own.

:class:`TimestampSource` believes nothing: status, imprint, nonce, the authority's certificate up to a given root and
the signature are all checked before a token is used. :class:`LocalTimestampAuthority` really signs; the demo and the
tests serve it on loopback. It keeps its time by the clock of this machine, so it proves nothing to a stranger.
"""

import hashlib
import hmac
import secrets
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from typing import Final
from urllib.parse import urlsplit

from asn1crypto import algos, cms, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from signing.certificates import check_chain
from signing.der import SEQUENCE, elements, only, tlv
from signing.errors import Fault, TimestampError, VerificationError
from signing.keys import KeyAlgorithm, SigningKey

QUERY_TYPE = "application/timestamp-query"  # RFC 3161, 3.4
REPLY_TYPE = "application/timestamp-reply"  # RFC 3161, 3.4

_MAX_REPLY_BYTES = 65_536
_NONCE_BITS = 64
_GRANTED = ("granted", "granted_with_mods")  # RFC 3161, 2.4.2
_MAX_CERTIFICATES = 8
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
# What asn1crypto and cryptography raise on bytes that are not what they claim to be.
_UNREADABLE = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    OverflowError,
    RecursionError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
)
CLOCK_TOLERANCE: Final = timedelta(seconds=60)
"""How far the authority's clock may be from ours; verifiers allow seals as much of the future."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Timestamp:
    """What a verified token says."""

    at: datetime
    """The authority's time, aware UTC."""
    authority: str
    """Common name in the authority's certificate, or its whole subject."""
    serial: int
    """Serial number of the token."""
    certificate_der: bytes
    """The authority's certificate."""


class TimestampSource:
    """A time stamping authority reached over HTTP (RFC 3161, 3.4).

    Args:
        url: Its address, http or https.
        roots_der: Certificates that the authority's own must lead to; never empty.
        timeout_seconds: For the whole exchange.
        max_token_bytes: Longest token to accept; seals reserve so much room.
        now: Our clock, aware UTC; with it, a token is refused whose time is more than a minute away from ours.

    Raises:
        TimestampError: The address is not http or https, or there is no root.
    """

    def __init__(
        self,
        url: str,
        *,
        roots_der: tuple[bytes, ...],
        timeout_seconds: float = 10.0,
        max_token_bytes: int = 6400,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        """Keep the address and the anchors; nothing is asked yet."""
        if urlsplit(url).scheme not in {"http", "https"}:
            raise TimestampError("a time stamping authority is reached by http or https")
        if not roots_der:
            raise TimestampError("a time stamping authority without a root certificate cannot be trusted")
        self.url = url
        self.max_token_bytes = max_token_bytes
        self._roots_der = roots_der
        self._timeout_seconds = timeout_seconds
        self._now = now

    def token(self, message_sha256: bytes) -> bytes:
        """Return a verified token (DER of a ContentInfo) over this digest.

        Steps: 1. ask with a fresh nonce; 2. the status is granted; 3. :func:`verify_timestamp`, nonce included; 4. its
        time is about ours: a seal of another time would lie outside its key's period, or in the future.

        Raises:
            TimestampError: No answer in time, a refusal, a token that does not verify, or one of another time.
        """
        # 1. ask
        nonce = secrets.randbits(_NONCE_BITS)
        imprint = {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": message_sha256}
        request = tsp.TimeStampReq({"version": "v1", "message_imprint": imprint, "nonce": nonce, "cert_req": True})
        reply = self._exchange(request.dump())
        # 2. status. RFC 3161, 2.4.2: without a grant there is no token, which asn1crypto's class does not know
        try:
            status, *tokens = elements(only(reply, SEQUENCE)[0].content)
            word = tsp.PKIStatusInfo.load(status.der, strict=True)["status"].native
        except (VerificationError, *_UNREADABLE) as error:
            raise TimestampError("the time stamping authority's answer cannot be read") from error
        if word not in _GRANTED or len(tokens) != 1:
            raise TimestampError(f"the time stamping authority answered: {word}")
        token = tokens[0].der
        # 3. token
        try:
            stamp = verify_timestamp(token, message_sha256=message_sha256, roots_der=self._roots_der, nonce=nonce)
        except VerificationError as error:
            raise TimestampError(f"the time stamping authority's token: {error.detail}") from error
        # 4. time
        if self._now is not None and abs(self._now() - stamp.at) > CLOCK_TOLERANCE:
            raise TimestampError(f"the time stamping authority's clock says {stamp.at:%Y-%m-%d %H:%M:%S} UTC, not ours")
        return token

    def _exchange(self, query: bytes) -> bytes:
        deadline = time.monotonic() + self._timeout_seconds
        request = urllib.request.Request(  # noqa: S310  # the scheme was checked when the source was made
            self.url, data=query, headers={"Content-Type": QUERY_TYPE, "Accept": REPLY_TYPE}
        )
        reply = bytearray()
        try:
            with urllib.request.urlopen(request, timeout=self._timeout_seconds) as response:  # noqa: S310  # as above
                if response.headers.get_content_type() != REPLY_TYPE:
                    raise TimestampError("the time stamping authority answered with another content type")
                while chunk := response.read1(_MAX_REPLY_BYTES):
                    reply += chunk
                    if len(reply) > _MAX_REPLY_BYTES:
                        raise TimestampError("the time stamping authority's answer is too long")
                    if time.monotonic() > deadline:
                        raise TimestampError("the time stamping authority is too slow")
        except (OSError, HTTPException) as error:
            # The reason of the transport is kept for the log; URLError is an OSError.
            raise TimestampError(f"the time stamping authority cannot be reached: {error}") from error
        return bytes(reply)


def verify_timestamp(
    token_der: bytes, *, message_sha256: bytes, roots_der: tuple[bytes, ...], nonce: int | None = None
) -> Timestamp:
    """Return what the token says, after checking all of it.

    The caller still owes revocation of the authority's certificate. Steps: 1. one signer over a TSTInfo; 2. imprint
    and nonce; 3. the signed attributes name content and certificate; 4. signature; 5. certificate: purpose, and a
    chain valid at the token's own time.

    Args:
        token_der: A ContentInfo in DER.
        message_sha256: Digest that must be under the token.
        roots_der: Anchors for the authority.
        nonce: The number that was sent, if the token was just asked for.

    Raises:
        VerificationError: ``malformed``, ``bad_signature``, ``untrusted_issuer``, ``expired_certificate`` or
        ``empty_trust``.
    """
    if not roots_der:
        raise VerificationError(Fault.EMPTY_TRUST, "no root for time stamping authorities")
    try:
        return _verified_timestamp(token_der, message_sha256, roots_der, nonce)
    except _UNREADABLE as error:
        raise VerificationError(Fault.MALFORMED, "the timestamp cannot be read") from error


def _verified_timestamp(
    token_der: bytes, message_sha256: bytes, roots_der: tuple[bytes, ...], nonce: int | None
) -> Timestamp:
    # 1. structure
    content = cms.ContentInfo.load(token_der, strict=True)
    _require(content["content_type"].native == "signed_data", Fault.MALFORMED, "timestamp is not signed data")
    signed = content["content"]
    encapsulated = signed["encap_content_info"]
    _require(encapsulated["content_type"].native == "tst_info", Fault.MALFORMED, "not a timestamp")
    _require(len(signed["signer_infos"]) == 1, Fault.MALFORMED, "timestamp without exactly one signer")
    signer = signed["signer_infos"][0]
    info_der = bytes(encapsulated["content"])
    info = tsp.TSTInfo.load(info_der, strict=True)
    # 2. imprint and nonce
    imprint = info["message_imprint"]
    fits = imprint["hash_algorithm"]["algorithm"].native == "sha256" and hmac.compare_digest(
        imprint["hashed_message"].native, message_sha256
    )
    _require(fits, Fault.BAD_SIGNATURE, "timestamp is over something else")
    _require(nonce is None or info["nonce"].native == nonce, Fault.BAD_SIGNATURE, "timestamp answers another request")
    # 3. signed attributes
    hash_name = signer["digest_algorithm"]["algorithm"].native
    _require(hash_name in _HASHES, Fault.MALFORMED, "timestamp with a digest that we do not use")
    attributes = {attribute["type"].native: attribute["values"] for attribute in signer["signed_attrs"]}
    digest = hashlib.new(hash_name, info_der).digest()
    _require(attributes["content_type"][0].native == "tst_info", Fault.MALFORMED, "timestamp names other content")
    _require(
        hmac.compare_digest(attributes["message_digest"][0].native, digest), Fault.BAD_SIGNATURE, "timestamp digest"
    )
    certificates = [choice.chosen.dump() for choice in signed["certificates"] if choice.name == "certificate"]
    _require(len(certificates) <= _MAX_CERTIFICATES, Fault.MALFORMED, "timestamp with too many certificates")
    cert_der = _signer_certificate(attributes, certificates)
    certificate = x509.load_der_x509_certificate(cert_der)
    # 4. signature. RFC 5652, 5.4: over the attributes with the tag of a SET
    over = signer["signed_attrs"].untag().dump()
    signature_hash = _signature_hash(signer["signature_algorithm"], otherwise=hash_name)
    _require(signature_hash in _HASHES, Fault.MALFORMED, "timestamp with a digest that we do not use")
    _check_signature(certificate, signer["signature"].native, over, _HASHES[signature_hash])
    # 5. certificate
    at = info["gen_time"].native
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    # RFC 3161, 2.3: this purpose alone, and critical
    _require(
        usage.critical and list(usage.value) == [ExtendedKeyUsageOID.TIME_STAMPING],
        Fault.UNTRUSTED_ISSUER,
        "the timestamp's certificate is not for time stamping",
    )
    checked = check_chain(cert_der, roots_der, at, intermediates_der=certificates)
    return Timestamp(at=at, authority=checked.subject, serial=info["serial_number"].native, certificate_der=cert_der)


def _signer_certificate(attributes: dict[str, cms.SetOfAny], certificates: list[bytes]) -> bytes:
    if "signing_certificate_v2" in attributes:
        first = attributes["signing_certificate_v2"][0]["certs"][0]
        hash_name, wanted = first["hash_algorithm"]["algorithm"].native, first["cert_hash"].native
    else:  # RFC 2634, 5.4, which RFC 3161 asks for; SHA-1 picks among the embedded certificates, it does not protect
        hash_name, wanted = "sha1", attributes["signing_certificate"][0]["certs"][0]["cert_hash"].native
    for cert_der in certificates:
        if hmac.compare_digest(hashlib.new(hash_name, cert_der).digest(), wanted):
            return cert_der
    raise VerificationError(Fault.UNTRUSTED_ISSUER, "the timestamp does not carry its certificate")


def _signature_hash(algorithm: algos.SignedDigestAlgorithm, *, otherwise: str) -> str:
    try:
        return str(algorithm.hash_algo)
    except ValueError:  # RFC 3370, 3.2: rsaEncryption names none, so the signer's digest counts
        return otherwise


def _check_signature(
    certificate: x509.Certificate, signature: bytes, over: bytes, algorithm: hashes.HashAlgorithm
) -> None:
    public_key = certificate.public_key()
    try:
        if isinstance(public_key, rsa.RSAPublicKey):
            public_key.verify(signature, over, padding.PKCS1v15(), algorithm)
        elif isinstance(public_key, ec.EllipticCurvePublicKey):
            public_key.verify(signature, over, ec.ECDSA(algorithm))
        else:
            raise VerificationError(Fault.MALFORMED, "timestamp with a kind of key that we do not use")
    except InvalidSignature as error:
        raise VerificationError(Fault.BAD_SIGNATURE, "the timestamp's signature does not fit") from error


class LocalTimestampAuthority:
    """A time stamping authority in this process, with a real key.

    Args:
        key: Its key.
        certificate_der: Its certificate: see ``signing.certificates``; extended key usage time stamping.
        now: Its clock, aware UTC.

    Raises:
        TimestampError: The certificate is of another key.
    """

    _POLICY = "2.999.1"  # ITU-T X.660, annex A.4: the arc for examples; nobody relies on this policy

    def __init__(self, key: SigningKey, certificate_der: bytes, *, now: Callable[[], datetime]) -> None:
        """Keep key, certificate and clock."""
        if asn1_x509.Certificate.load(certificate_der).public_key.dump() != key.spki_der:
            raise TimestampError("the authority's certificate is of another key")
        self._certificate_der = certificate_der
        self._key = key
        self._now = now

    def reply(self, query_der: bytes) -> bytes:
        """Return the DER of a TimeStampResp to a TimeStampReq: a token, or a refusal that says why."""
        try:
            request = tsp.TimeStampReq.load(query_der, strict=True)
            imprint = request["message_imprint"]
            if imprint["hash_algorithm"]["algorithm"].native != "sha256":
                return _refusal("bad_alg")
            if len(imprint["hashed_message"].native) != hashlib.sha256().digest_size:
                return _refusal("bad_data_format")
            nonce = request["nonce"].native
        except _UNREADABLE:
            return _refusal("bad_data_format")
        info = tsp.TSTInfo(
            {
                "version": "v1",
                "policy": self._POLICY,
                "message_imprint": imprint,
                "serial_number": secrets.randbits(_NONCE_BITS),
                "gen_time": self._now().astimezone(UTC).replace(microsecond=0),
                "accuracy": {"seconds": 1},
                "nonce": nonce,
            }
        )
        response = tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": self._token(info)})
        return bytes(response.dump())

    def _token(self, info: tsp.TSTInfo) -> cms.ContentInfo:
        content = cms.ParsableOctetString(info.dump())
        # Parsed for each token: asn1crypto parses lazily, so a shared object is not safe between threads.
        certificate = asn1_x509.Certificate.load(self._certificate_der)
        cert_sha256 = hashlib.sha256(self._certificate_der).digest()
        attributes = cms.CMSAttributes(
            [
                {"type": "content_type", "values": ["tst_info"]},
                {"type": "message_digest", "values": [hashlib.sha256(info.dump()).digest()]},
                {"type": "signing_certificate_v2", "values": [{"certs": [{"cert_hash": cert_sha256}]}]},
            ]
        )
        signature = self._key.sign_digest(hashlib.sha256(attributes.dump()).digest())
        is_ecdsa = self._key.algorithm is KeyAlgorithm.P256
        signer = {
            "version": "v1",
            "sid": {
                "issuer_and_serial_number": {
                    "issuer": certificate.issuer,
                    "serial_number": certificate.serial_number,
                }
            },
            "digest_algorithm": {"algorithm": "sha256"},
            "signed_attrs": attributes,
            "signature_algorithm": {"algorithm": "sha256_ecdsa" if is_ecdsa else "sha256_rsa"},
            "signature": signature,
        }
        signed = cms.SignedData(
            {
                "version": "v3",  # RFC 5652, 5.1: the content is not id-data
                "digest_algorithms": [algos.DigestAlgorithm({"algorithm": "sha256"})],
                "encap_content_info": {"content_type": "tst_info", "content": content},
                "certificates": [certificate],
                "signer_infos": [signer],
            }
        )
        return cms.ContentInfo({"content_type": "signed_data", "content": signed})


def _refusal(why: str) -> bytes:
    return tlv(SEQUENCE, tsp.PKIStatusInfo({"status": "rejection", "fail_info": {why}}).dump())


def _require(holds: bool, fault: Fault, otherwise: str) -> None:  # noqa: FBT001  # reads as a sentence
    if not holds:
        raise VerificationError(fault, otherwise)
