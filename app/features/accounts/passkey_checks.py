"""What a passkey says, checked with the `webauthn` package. A passkey must verify its user (finger, face, PIN), so that
it is something one has and something one is or knows: both factors at once.

A challenge is not stored when it is given out: anybody may ask for one. It carries its time and our mark, and counts
once because its use is stored (app/storage/passkeys.py)."""

from __future__ import annotations

import ipaddress
import json
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from app.storage.accounts import Account
from app.storage.passkeys import KeptPasskey
from app.storage.vault import Vault

VALID: Final = timedelta(minutes=5)  # from challenge to answer
ANSWER_LENGTH_MAX: Final = 20_000  # characters; an answer without attestation has some hundreds
TRANSPORTS: Final = frozenset({"usb", "nfc", "ble", "smart-card", "hybrid", "internal"})
_NONCE_BYTES: Final = 16
_TIME_BYTES: Final = 8
NAME: Final = "Stappenplan"


class PasskeyRefused(Exception):
    """The answer is not one that this passkey gave to a fresh challenge of ours."""


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Who we are for a passkey: it only answers on this very address."""

    id: str
    origin: str


@dataclass(frozen=True, slots=True)
class NewPasskey:
    credential_id: str
    public_key: str
    sign_count: int
    transports: tuple[str, ...]
    challenge: str


def relying_party(public_url: str) -> RelyingParty | None:
    """None for an address without a name: passkeys do not exist there."""
    parts = urlsplit(public_url)
    host = parts.hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return RelyingParty(id=host, origin=f"{parts.scheme}://{parts.netloc}") if host else None
    return None


# --- challenges ---------------------------------------------------------------------------------------------------


def new_challenge(vault: Vault, purpose: str, *, at: datetime) -> bytes:
    """`purpose`: what it is for, and in which session; an answer for another purpose is refused."""
    moment = int(at.timestamp()).to_bytes(_TIME_BYTES, "big")
    body = secrets.token_bytes(_NONCE_BYTES) + moment
    return body + vault.mark(body.hex(), purpose=purpose)


def _challenge_in(answer: Any, vault: Vault, purpose: str, at: datetime) -> bytes:
    """The challenge that was answered, if we gave it.  Raises PasskeyRefused."""
    from webauthn.helpers import base64url_to_bytes

    try:
        client_data = json.loads(base64url_to_bytes(answer["response"]["clientDataJSON"]))
        challenge = base64url_to_bytes(client_data["challenge"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise PasskeyRefused("no challenge") from None
    body, mark = challenge[: _NONCE_BYTES + _TIME_BYTES], challenge[_NONCE_BYTES + _TIME_BYTES :]
    if not secrets.compare_digest(mark, vault.mark(body.hex(), purpose=purpose)):
        raise PasskeyRefused("not our challenge")
    given = datetime.fromtimestamp(int.from_bytes(body[_NONCE_BYTES:], "big"), UTC)
    if not timedelta(0) <= at - given < VALID + timedelta(seconds=1):
        raise PasskeyRefused("too old")
    return challenge


def _parsed(text: str) -> Any:
    if len(text) > ANSWER_LENGTH_MAX:
        raise PasskeyRefused("too long")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise PasskeyRefused("not JSON") from None


# --- registering --------------------------------------------------------------------------------------------------


def registration_options(party: RelyingParty, account: Account, known: Sequence[KeptPasskey], challenge: bytes) -> str:
    """JSON for the browser."""
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers import base64url_to_bytes
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        PublicKeyCredentialDescriptor,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    options = generate_registration_options(
        rp_id=party.id,
        rp_name=NAME,
        user_id=account.id.bytes,
        user_name=account.login,
        user_display_name=account.name,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=base64url_to_bytes(each.credential_id)) for each in known
        ],
    )
    return options_to_json(options)


def check_registration(party: RelyingParty, answer: str, vault: Vault, purpose: str, *, at: datetime) -> NewPasskey:
    """Raises PasskeyRefused."""
    from webauthn import verify_registration_response
    from webauthn.helpers import bytes_to_base64url
    from webauthn.helpers.exceptions import WebAuthnException

    parsed = _parsed(answer)
    challenge = _challenge_in(parsed, vault, purpose, at)
    try:
        found = verify_registration_response(
            credential=parsed,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as wrong:
        raise PasskeyRefused(str(wrong)) from None
    told = parsed["response"].get("transports") or []
    return NewPasskey(
        credential_id=bytes_to_base64url(found.credential_id),
        public_key=bytes_to_base64url(found.credential_public_key),
        sign_count=found.sign_count,
        transports=tuple(sorted(TRANSPORTS.intersection(each for each in told if isinstance(each, str)))),
        challenge=bytes_to_base64url(challenge),
    )


# --- signing in ---------------------------------------------------------------------------------------------------


def sign_in_options(party: RelyingParty, challenge: bytes) -> str:
    """JSON for the browser. Names no passkeys: the browser offers those that it has for us."""
    from webauthn import generate_authentication_options, options_to_json
    from webauthn.helpers.structs import UserVerificationRequirement

    options = generate_authentication_options(
        rp_id=party.id, challenge=challenge, user_verification=UserVerificationRequirement.REQUIRED
    )
    return options_to_json(options)


def credential_id_in(answer: str) -> str:
    """Which passkey says so; nothing has been checked yet.  Raises PasskeyRefused."""
    parsed = _parsed(answer)
    found = parsed.get("id") if isinstance(parsed, dict) else None
    if not isinstance(found, str) or not 0 < len(found) < 2000 or not found.isascii() or not found.isprintable():
        raise PasskeyRefused("no credential")
    return found


@dataclass(frozen=True, slots=True)
class Answered:
    sign_count: int
    challenge: str


def check_sign_in(
    party: RelyingParty, answer: str, passkey: KeptPasskey, vault: Vault, purpose: str, *, at: datetime
) -> Answered:
    """Raises PasskeyRefused."""
    from webauthn import verify_authentication_response
    from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
    from webauthn.helpers.exceptions import WebAuthnException

    parsed = _parsed(answer)
    challenge = _challenge_in(parsed, vault, purpose, at)
    try:
        found = verify_authentication_response(
            credential=parsed,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=base64url_to_bytes(passkey.public_key),
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
        handle = parsed["response"].get("userHandle")
        if handle and uuid.UUID(bytes=base64url_to_bytes(handle)) != passkey.user_id:
            raise PasskeyRefused("of another user")
    except (WebAuthnException, ValueError, KeyError, TypeError) as wrong:
        raise PasskeyRefused(str(wrong)) from None
    return Answered(sign_count=found.new_sign_count, challenge=bytes_to_base64url(challenge))
