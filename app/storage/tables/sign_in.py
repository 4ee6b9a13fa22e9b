"""Sessions, and everything with which somebody proves who they are."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index
from sqlmodel import Field, SQLModel

from app.storage.types import JSONValue, UTCDateTime


class LoginSession(SQLModel, table=True):
    """`id` is the SHA-256 (hex) of the token in the cookie, so a copy of the database opens no session. `renew_since`:
    the roles of the user changed, so the next answer brings a new token. `address` and `device` (what the browser says
    of itself) are there so that the user recognises the session.

    `provider`, `provider_sid` (its session there) and `provider_token` (encrypted: where and with what to
    log out there) belong to one that a provider opened; it reaches no other municipality than `limited_to`."""

    __tablename__ = "login_session"
    __table_args__ = (Index("ix_login_session_provider_provider_sid", "provider", "provider_sid"),)

    id: str = Field(primary_key=True)
    user_id: uuid.UUID = Field(foreign_key="user_account.id", index=True)
    municipality_id: uuid.UUID | None = Field(default=None, foreign_key="municipality.id")
    csrf_token: str
    created_at: datetime = Field(sa_type=UTCDateTime)
    seen_at: datetime = Field(sa_type=UTCDateTime)
    expires_at: datetime = Field(sa_type=UTCDateTime, index=True)
    renew_since: datetime | None = Field(default=None, sa_type=UTCDateTime)
    address: str | None = None
    device: str | None = None
    provider: str | None = None
    provider_sid: str | None = None
    provider_token: str | None = None
    limited_to: uuid.UUID | None = Field(default=None, foreign_key="municipality.id")


class PendingSignIn(SQLModel, table=True):
    """Somebody whose password was right, or whom a provider knows, and who has yet to show or set up a second factor.
    `id` and what a provider adds as in LoginSession; it opens nothing but that one page."""

    __tablename__ = "pending_sign_in"

    id: str = Field(primary_key=True)
    user_id: uuid.UUID = Field(foreign_key="user_account.id", index=True)
    created_at: datetime = Field(sa_type=UTCDateTime)
    expires_at: datetime = Field(sa_type=UTCDateTime, index=True)
    provider: str | None = None
    provider_sid: str | None = None
    provider_token: str | None = None
    limited_to: uuid.UUID | None = Field(default=None, foreign_key="municipality.id")


class ProviderAccount(SQLModel, table=True):
    """Somebody as a provider knows them (OpenID Connect): never found by anything but `issuer` and `subject` together.
    `provider` is the key, in the settings, of the one that gave the link. `made_account`: the account came with the
    first sign-in; otherwise its user linked the two."""

    __tablename__ = "provider_account"

    issuer: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    user_id: uuid.UUID = Field(foreign_key="user_account.id", index=True)
    provider: str
    made_account: bool
    linked_at: datetime = Field(sa_type=UTCDateTime)
    seen_at: datetime = Field(sa_type=UTCDateTime)


class ProviderRole(SQLModel, table=True):
    """A membership that exists because a provider says so of a person there (`issuer` and `subject`), and ends when no
    provider says so of anybody there who is linked to this account. One without such a row was given here."""

    __tablename__ = "provider_role"
    __table_args__ = (
        ForeignKeyConstraint(["issuer", "subject"], ["provider_account.issuer", "provider_account.subject"]),
    )

    user_id: uuid.UUID = Field(primary_key=True, foreign_key="user_account.id")
    municipality_id: uuid.UUID = Field(primary_key=True, foreign_key="municipality.id")
    role: str = Field(primary_key=True)
    provider: str = Field(primary_key=True)
    issuer: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)


class ProviderFlow(SQLModel, table=True):
    """Somebody who is on the way to a provider and back. `id` and `browser` are the SHA-256 (hex) of the `state` and of
    the token in the cookie; `sealed` is encrypted: nonce, code verifier, and what was typed before. `user_id` is there
    when somebody who is signed in links an account. It counts once."""

    __tablename__ = "provider_flow"

    id: str = Field(primary_key=True)
    browser: str
    provider: str
    user_id: uuid.UUID | None = Field(default=None, foreign_key="user_account.id")
    verder: str
    sealed: str
    expires_at: datetime = Field(sa_type=UTCDateTime, index=True)


class AuthenticatorApp(SQLModel, table=True):
    """The second factor of a user (TOTP, RFC 6238). `secret` is encrypted (app/storage/vault.py). It counts from
    `confirmed_at` on. `last_step` is the time step of the newest code that was used: none counts twice.
    `wrong_codes` since the last right one, over any time."""

    __tablename__ = "authenticator_app"

    user_id: uuid.UUID = Field(primary_key=True, foreign_key="user_account.id")
    secret: str
    created_at: datetime = Field(sa_type=UTCDateTime)
    confirmed_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    last_step: int | None = None
    wrong_codes: int = Field(default=0, sa_column_kwargs={"server_default": "0"})


class RecoveryCode(SQLModel, table=True):
    """`digest`: SHA-256 (hex) of a random code of 120 bits. It counts once, instead of a code of the app."""

    __tablename__ = "recovery_code"

    user_id: uuid.UUID = Field(primary_key=True, foreign_key="user_account.id")
    digest: str = Field(primary_key=True)
    used_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class Passkey(SQLModel, table=True):
    """A WebAuthn credential. `credential_id` and `public_key` (COSE) are base64url."""

    __tablename__ = "passkey"

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    user_id: uuid.UUID = Field(foreign_key="user_account.id", index=True)
    credential_id: str = Field(unique=True)
    public_key: str
    sign_count: int = Field(sa_type=BigInteger)
    transports: Any = Field(sa_type=JSONValue)
    name: str
    created_at: datetime = Field(sa_type=UTCDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class SpentChallenge(SQLModel, table=True):
    """An answer of a passkey to a challenge counts once. `id`: SHA-256 (hex) of the challenge, kept until it ends."""

    __tablename__ = "spent_challenge"

    id: str = Field(primary_key=True)
    expires_at: datetime = Field(sa_type=UTCDateTime, index=True)


class AccountLink(SQLModel, table=True):
    """A link with which somebody sets a password, once. `id` is the SHA-256 (hex) of the token in it. `made_by` is
    empty for one that was made on the command line."""

    __tablename__ = "account_link"

    id: str = Field(primary_key=True)
    user_id: uuid.UUID = Field(foreign_key="user_account.id", index=True)
    made_by: uuid.UUID | None = Field(default=None, foreign_key="user_account.id")
    created_at: datetime = Field(sa_type=UTCDateTime)
    expires_at: datetime = Field(sa_type=UTCDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class LoginAttempt(SQLModel, table=True):
    """A failed sign-in, counted per `key` (account or address, hashed) to slow down guessing."""

    __tablename__ = "login_attempt"
    __table_args__ = (Index("ix_login_attempt_key_at", "key", "at"),)

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    key: str
    at: datetime = Field(sa_type=UTCDateTime)


class AnsweredForm(SQLModel, table=True):
    """A form that was answered (app/storage/answered_forms.py). `key` is the SHA-256 (hex) of the key that the page
    gave it, `content` tells under that key what was sent. `address` and `notice` are the answer."""

    __tablename__ = "answered_form"

    user_id: uuid.UUID = Field(primary_key=True, foreign_key="user_account.id")
    key: str = Field(primary_key=True)
    content: str
    address: str
    notice: str
    answered_at: datetime = Field(sa_type=UTCDateTime, index=True)
