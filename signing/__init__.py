"""Keys, certificates, seals, tokens and QR codes. Bytes in, bytes or typed results out.

What it promises:

* A verify function returns the verified thing or raises :class:`~signing.errors.VerificationError` with a
  :class:`~signing.errors.Fault`; nothing but :class:`~signing.errors.SigningError` leaves the package.
* A key has one purpose and one algorithm, written in the trust pack; nothing in an input chooses a key or an algorithm.
* Wire formats are exact (``docs/formats.md``): what is not described there is refused.

What it does not do: it has never heard of a licence. It judges no licence's dates and no status, opens no URL that
stands in an input, and keeps nothing. Modules: ``keys``, ``certificates``, ``trust`` (who is trusted), ``tokens``,
``statuslist``, ``receipts``, ``qr``, and for seals ``cms``, ``pades``, ``timestamps``; below them ``cbor``, ``cose``,
``der``, ``jws``, ``jwk``.

A whole turn, from a new root to a verified token:

>>> from datetime import UTC, datetime, timedelta
>>> from signing.certificates import create_root
>>> from signing.keys import KeyAlgorithm, generate_key
>>> from signing.tokens import TokenClaims, sign_token, token_url, verify_token
>>> from signing.trust import KeyPurpose, TrustedKey, TrustPack, open_pack, sign_delegation, sign_pack

>>> now = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
>>> begin, end = now - timedelta(days=1), now + timedelta(days=730)
>>> root, packer, agency = (generate_key(KeyAlgorithm.P256) for _ in range(3))
>>> root_der = create_root(root, common_name="Root", organisation="Library", not_before_at=begin, not_after_at=end)

The library says which keys are trusted, for what and from when to when:

>>> entry = TrustedKey(
...     kid=agency.kid, purpose=KeyPurpose.TOKEN, algorithm="ES256", spki_der=agency.spki_der, owner="SEAFAS",
...     not_before_at=begin, not_after_at=end,
... )
>>> pack = TrustPack(
...     version=1, issued_at=now, next_update_at=now + timedelta(days=7), issuer="Library",
...     roots_der=(root_der,), keys=(entry,), body={},
... )
>>> file = sign_pack(pack, pack_key=packer, delegation=sign_delegation(root, packer, begin, end))

The agency signs a token:

>>> claims = TokenClaims(
...     identifier="1.2.3", issued_at=now, not_before_at=None, expires_at=end,
...     status_index=48213, status_uri="https://licences.example/s/1", fields={1: 7, 2: "0042"},
... )
>>> text = token_url("https://licences.example/q#", sign_token(claims, agency))

A verifier knows the root's public key and has the pack, nothing else:

>>> trusted = open_pack(file, anchor_spki_der=root.spki_der, now=now)
>>> token = verify_token(text, trusted, now=now)
>>> token.key.owner, token.claims.fields[2]
('SEAFAS', '0042')
>>> verify_token(text[:-1], trusted, now=now)
Traceback (most recent call last):
    ...
signing.errors.VerificationError: malformed: digits are missing or too many
"""
