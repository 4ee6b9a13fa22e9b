"""Ed25519 as the auditor's program computes it, against RFC 8032 and against the library that signs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.storage.history import keys, verify_export
from tests.storage.history.tampering import a_key

# RFC 8032, section 7.1: public key, message, signature.
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24"
        "655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aee"
        "b00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28d"
        "c027beceea1ec40a",
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e"
        "2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17a"
        "d9bef1177331a704",
    ),
]


def is_signed(key: str, message: bytes, signature: str) -> bool:
    """By both; they agree."""
    ours = verify_export.is_signed(bytes.fromhex(key), message, bytes.fromhex(signature))
    assert keys.is_signed(key, message, signature) == ours
    return ours


@pytest.mark.parametrize(("key", "message", "signature"), VECTORS)
def test_signatures_of_the_rfc_fit_and_nothing_else_does(key: str, message: str, signature: str):
    data = bytes.fromhex(message)
    assert is_signed(key, data, signature)
    assert not is_signed(key, data + b"x", signature)
    assert not is_signed(VECTORS[0][0] if key != VECTORS[0][0] else VECTORS[1][0], data, signature)


@given(st.integers(0, 5), st.binary(max_size=60))
def test_what_the_library_signs_fits(seed: int, message: bytes):
    key = a_key(seed)
    assert is_signed(key.public, message, key.sign(message))


@given(st.integers(0, 5), st.binary(max_size=20), st.integers(0, 511))
def test_no_flipped_bit_of_a_signature_fits(seed: int, message: bytes, bit: int):
    key = a_key(seed)
    signature = bytearray.fromhex(key.sign(message))
    signature[bit // 8] ^= 1 << bit % 8
    assert not is_signed(key.public, message, signature.hex())


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=64, max_size=64))
def test_any_bytes_get_the_same_verdict_and_no_error(key: bytes, signature: bytes):
    """Also keys that are no point, or of a small order: those satisfy the equation, and no chain leads to one."""
    is_signed(key.hex(), b"x", signature.hex())
    verify_export.TABLES.clear()


def test_scalar_that_is_not_reduced_is_refused():
    """It satisfies the equation: without the check, a second signature for the same head would pass."""
    key = a_key(1)
    signature = key.sign(b"x")
    scalar = int.from_bytes(bytes.fromhex(signature[64:]), "little") + verify_export.L
    assert not is_signed(key.public, b"x", signature[:64] + scalar.to_bytes(32, "little").hex())


def test_fingerprints_of_the_application_and_of_the_program_are_the_same():
    key = a_key(1)
    assert verify_export.fingerprint_of(key.public) == key.fingerprint
