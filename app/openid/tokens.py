"""What a provider signed: ID tokens (OpenID Connect Core 3.1.3.7), logout tokens (Back-Channel Logout 2.6)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from app.openid.client import ProviderClient, Refused

if TYPE_CHECKING:
    from joserfc.jwk import KeySet
    from joserfc.jwt import Token

# Only what a public key verifies: with "none" or a shared secret anybody could be anybody.
ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
)
LEEWAY: Final = 60  # seconds that two clocks may differ
SUBJECT_LENGTH_MAX: Final = 255  # OpenID Connect Core 2
TOKEN_LENGTH_MAX: Final = 64 * 1024
LOGOUT_VALID: Final = timedelta(minutes=5)  # from `iat`; a token that comes later is of no use to anybody
_LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"


@dataclass(frozen=True, slots=True)
class Logout:
    """`subject` or `sid` (one session at the provider), or both. `token_id` counts once."""

    subject: str | None
    sid: str | None
    token_id: str


async def checked_id_token(
    client: ProviderClient, raw: str, *, nonce: str, access_token: str, at: datetime
) -> Mapping[str, Any]:
    """The claims.  Raises ProviderDown, Refused."""
    from authlib.oidc.core import CodeIDToken
    from joserfc.errors import JoseError

    token = await _verified(client, raw, at=at, in_a_hurry=True)
    provider = client.provider
    options = {"iss": {"essential": True, "value": provider.issuer}, "nonce": {"essential": True}}
    params = {"nonce": nonce, "client_id": provider.client_id, "access_token": access_token}
    try:
        claims = CodeIDToken(token.claims, token.header, options, params)
        claims.validate(now=int(at.timestamp()), leeway=LEEWAY)
    except JoseError as wrong:
        raise Refused(f"id_token_{getattr(wrong, 'claim', None) or wrong.error}") from None
    except (TypeError, ValueError, AttributeError):
        raise Refused("id_token_unreadable") from None
    _check_audience(token.claims, provider.client_id)
    # Once more and without regard to case or type, since everything hangs on it.
    if not secrets.compare_digest(str(token.claims["nonce"]).encode(), nonce.encode()):
        raise Refused("id_token_nonce")
    _check_subject(token.claims["sub"])
    return dict(token.claims)


async def checked_logout(client: ProviderClient, raw: str, *, at: datetime) -> Logout:
    """Raises ProviderDown, Refused."""
    token = await _verified(client, raw, at=at, in_a_hurry=False)
    claims, provider = token.claims, client.provider
    if token.header.get("typ", "logout+jwt").lower().removeprefix("application/") not in {"logout+jwt", "jwt"}:
        raise Refused("logout_type")
    if claims.get("iss") != provider.issuer:
        raise Refused("logout_iss")
    _check_audience(claims, provider.client_id)
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(_LOGOUT_EVENT), dict):
        raise Refused("logout_events")
    if "nonce" in claims:  # it is an ID token that somebody found
        raise Refused("logout_nonce")
    issued, now = _number(claims.get("iat")), at.timestamp()
    if issued is None or not now - LOGOUT_VALID.total_seconds() <= issued <= now + LEEWAY:
        raise Refused("logout_iat")
    ends = _number(claims.get("exp", now))
    if ends is None or ends <= now - LEEWAY:
        raise Refused("logout_exp")
    subject, sid, token_id = claims.get("sub"), claims.get("sid"), claims.get("jti")
    if not isinstance(token_id, str) or not token_id:
        raise Refused("logout_jti")
    if subject is not None:
        _check_subject(subject)
    if not (subject is None or isinstance(subject, str)) or not (sid is None or isinstance(sid, str)):
        raise Refused("logout_whom")
    if not subject and not sid:
        raise Refused("logout_whom")
    return Logout(subject, sid, token_id)


async def _verified(client: ProviderClient, raw: str, *, at: datetime, in_a_hurry: bool) -> Token:
    """With the keys that we have, and with new ones if the provider took another."""
    from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError

    if len(raw) > TOKEN_LENGTH_MAX or not raw.isascii():
        raise Refused("token_unreadable")
    keys = await client.keys(at=at)
    try:
        try:
            return _decoded(raw, keys)
        except (InvalidKeyIdError, BadSignatureError):
            newer = await client.keys(at=at, newer_than=keys, in_a_hurry=in_a_hurry)
            return _decoded(raw, newer)
    except (InvalidKeyIdError, BadSignatureError):
        raise Refused("token_signature") from None
    except JoseError as wrong:
        raise Refused(f"token_{wrong.error}") from None
    except (TypeError, ValueError, KeyError, AttributeError, RecursionError):
        raise Refused("token_unreadable") from None


def _decoded(raw: str, keys: KeySet) -> Token:
    from joserfc import jwt
    from joserfc.jws import JWSRegistry

    return jwt.decode(raw, keys, registry=JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False))


def _check_audience(claims: Mapping[str, Any], client_id: str) -> None:
    audience = claims.get("aud")
    if audience != client_id and not (isinstance(audience, list) and client_id in audience):
        raise Refused("token_aud")


def _check_subject(subject: object) -> None:
    if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_LENGTH_MAX or not subject.isprintable():
        raise Refused("token_sub")


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
