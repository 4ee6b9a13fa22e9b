"""Asking a provider: what it says of itself (Discovery), its keys, tokens for a code, and more about a user.

The limits of each call: app/openid/calls.py. Outgoing proxies work as everywhere: HTTPS_PROXY and NO_PROXY.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NoReturn

from app.openid.providers import Provider, address_problem

if TYPE_CHECKING:
    import httpx2
    from joserfc.jwk import KeySet

KEPT_FOR: Final = timedelta(hours=1)  # addresses and keys; an unknown key is looked up earlier
FRESH_KEYS_EVERY: Final = timedelta(seconds=30)  # when somebody whom we don't know makes us ask
TEXT_LENGTH_MAX: Final = 4000  # of a code, and of an address


class ProviderDown(Exception):
    """It gives no answer, or none that can be used. The message is for who runs this installation."""


class Refused(Exception):
    """What came back proves nothing. `why` is a code for the log, never a text of the provider."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why: Final = why


@dataclass(frozen=True, slots=True)
class Metadata:
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    end_session_endpoint: str | None
    names_issuer: bool  # in its answer to the browser: RFC 9207
    authenticates_by_post: bool


@dataclass(frozen=True, slots=True)
class Tokens:
    id_token: str
    access_token: str


@dataclass(slots=True)
class ProviderClient:
    """One per process, for as long as it lives; what it fetched is kept for an hour."""

    provider: Provider
    transport: httpx2.AsyncBaseTransport | None = None
    _metadata: tuple[Metadata, datetime] | None = field(default=None, init=False)
    _keys: tuple[KeySet, datetime] | None = field(default=None, init=False)

    async def metadata(self, *, at: datetime) -> Metadata:
        """Raises ProviderDown."""
        if self._metadata is None or not _is_fresh(self._metadata[1], at):
            address = f"{self.provider.issuer.rstrip('/')}/.well-known/openid-configuration"
            self._metadata = (self._checked(await self._fetch_json(address)), at)
        return self._metadata[0]

    async def keys(self, *, at: datetime, newer_than: KeySet | None = None, in_a_hurry: bool = True) -> KeySet:
        """`newer_than`: these did not know the key, so there may be new ones. Who is not `in_a_hurry` waits its turn.

        Raises ProviderDown."""
        kept = self._keys
        if kept is not None and _is_fresh(kept[1], at):
            is_wanted = kept[0] is not newer_than
            if is_wanted or (not in_a_hurry and at - kept[1] < FRESH_KEYS_EVERY):
                return kept[0]
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        answer = await self._fetch_json((await self.metadata(at=at)).jwks_uri)
        listed = answer.get("keys")
        usable = [each for each in listed if _signs(each)] if isinstance(listed, list) else []
        try:
            found = KeySet.import_key_set({"keys": usable})
        except (JoseError, ValueError, TypeError, KeyError):
            self._complain("its keys cannot be used")
        self._keys = (found, at)
        return found

    async def sign_in_address(self, *, redirect_uri: str, state: str, nonce: str, verifier: str, at: datetime) -> str:
        """Where the browser goes.  Raises ProviderDown."""
        metadata = await self.metadata(at=at)
        wanted = self.provider.second_factor.acr
        extra = {"acr_values": " ".join(wanted)} if wanted else {}
        from app.openid.calls import session_for

        options = {"code_challenge_method": "S256", "redirect_uri": redirect_uri}
        async with session_for(self.provider, self.transport, **options) as session:
            address, _ = session.create_authorization_url(
                metadata.authorization_endpoint, state=state, code_verifier=verifier, nonce=nonce, **extra
            )
        return str(address)

    async def tokens(self, code: str, *, redirect_uri: str, verifier: str, at: datetime) -> Tokens:
        """For a code, which counts once.  Raises ProviderDown, Refused."""
        from authlib.integrations.base_client import OAuthError

        from app.openid.calls import CallFailed, limits, session_for

        metadata = await self.metadata(at=at)
        if not code.isascii() or not code.isprintable() or len(code) > TEXT_LENGTH_MAX:
            raise Refused("code_unreadable")
        by_post = self.provider.client_authentication == "post" or (
            self.provider.client_authentication is None and metadata.authenticates_by_post
        )
        method = "client_secret_post" if by_post else "client_secret_basic"
        options = {"token_endpoint_auth_method": method, "redirect_uri": redirect_uri}
        async with session_for(self.provider, self.transport, **options) as session:
            try:
                with limits():
                    answer = await session.fetch_token(
                        metadata.token_endpoint,
                        grant_type="authorization_code",
                        code=code,
                        code_verifier=verifier,
                    )
            except CallFailed as failed:
                self._complain(str(failed))
            except OAuthError as refusal:
                if refusal.error == "invalid_client":
                    self._complain("it does not accept our client_id and client_secret")
                raise Refused("code_refused") from None
            except (ValueError, KeyError, TypeError, AttributeError):
                self._complain("its answer with tokens cannot be read")
        id_token, access_token = answer.get("id_token"), answer.get("access_token")
        if not isinstance(id_token, str) or not isinstance(access_token, str):
            raise Refused("no_id_token")
        return Tokens(id_token, access_token)

    async def more_about(self, access_token: str, *, subject: str, at: datetime) -> Mapping[str, Any]:
        """The claims that are not in the ID token; nothing if the provider has no such address.

        Raises ProviderDown, Refused."""
        endpoint = (await self.metadata(at=at)).userinfo_endpoint
        if endpoint is None:
            return {}
        if not access_token.isascii() or not access_token.isprintable():
            raise Refused("access_token_unreadable")
        claims = await self._fetch_json(endpoint, {"Authorization": f"Bearer {access_token}"})
        if claims.get("sub") != subject:
            raise Refused("userinfo_of_somebody_else")
        return claims

    # --- what all calls share -----------------------------------------------------------------------------------

    async def _fetch_json(self, address: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        from app.openid.calls import CallFailed, limits, session_for

        async with session_for(self.provider, self.transport) as session:
            try:
                with limits():
                    response = await session.request("GET", address, headers=headers or {}, withhold_token=True)
            except CallFailed as failed:
                self._complain(str(failed))
        if response.status_code != 200:
            self._complain(f"{address} answers with status {response.status_code}")
        try:
            answer = json.loads(response.content)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            self._complain(f"{address} gives no JSON object")
        return answer

    def _checked(self, answer: Mapping[str, Any]) -> Metadata:
        if answer.get("issuer") != self.provider.issuer:
            # OpenID Connect Discovery 4.3: otherwise somebody could speak for another.
            self._complain("it names another issuer than the file does; copy it exactly, also the slash at the end")
        needed = {name: answer.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
        optional = {name: answer.get(name) for name in ("userinfo_endpoint", "end_session_endpoint")}
        for name, address in {**needed, **{name: value for name, value in optional.items() if value}}.items():
            if not isinstance(address, str) or len(address) > TEXT_LENGTH_MAX or address_problem(address):
                self._complain(f"its {name} is no https address")
            if self.provider.issuer.startswith("https:") and not address.startswith("https:"):
                self._complain(f"its {name} is no https address")
        methods = answer.get("token_endpoint_auth_methods_supported")
        userinfo, logout = optional["userinfo_endpoint"], optional["end_session_endpoint"]
        return Metadata(
            authorization_endpoint=str(needed["authorization_endpoint"]),
            token_endpoint=str(needed["token_endpoint"]),
            jwks_uri=str(needed["jwks_uri"]),
            userinfo_endpoint=str(userinfo) if userinfo else None,
            end_session_endpoint=str(logout) if logout else None,
            names_issuer=answer.get("authorization_response_iss_parameter_supported") is True,
            authenticates_by_post=isinstance(methods, list)
            and "client_secret_basic" not in methods
            and "client_secret_post" in methods,
        )

    def _complain(self, message: str) -> NoReturn:
        raise ProviderDown(f"provider {self.provider.key}: {message}")


def _signs(key: object) -> bool:
    """Public keys for signatures only: one for encryption, or a shared one, is none that proves anything."""
    return isinstance(key, dict) and key.get("kty") in {"RSA", "EC", "OKP"} and key.get("use", "sig") == "sig"


def _is_fresh(fetched: datetime, at: datetime) -> bool:
    return timedelta(0) <= at - fetched < KEPT_FOR
