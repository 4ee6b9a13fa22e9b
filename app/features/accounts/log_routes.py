"""The log of accounts, for administrators and auditors."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Annotated, Final

from fastapi import Request
from starlette.responses import Response

from app.features.accounts.answers import provider_name
from app.policy import Action, Role
from app.storage import account_log, account_sweep, user_admin
from app.storage.account_log import Act
from app.storage.database import ReadSession
from app.web.access import allowed
from app.web.clock import now
from app.web.forms import FormState
from app.web.i18n import N_, gettext_for, language_of
from app.web.identity import Caller
from app.web.render import render
from app.web.room import Room

router = Room()

Reader = Annotated[Caller, allowed(Action.VIEW_ACCOUNT_LOG)]

SHOWN: Final = timedelta(days=90)
PAGE_SIZE: Final = 50

# The choices of the filter: sign-ins first, since that is what people look for.
KINDS: Final[dict[str, tuple[str, tuple[Act, ...]]]] = {
    "inloggen": (
        N_("Logging in and out"),
        (
            Act.SIGNED_IN,
            Act.SIGNED_IN_WITH_PASSKEY,
            Act.SIGNED_IN_WITH_PROVIDER,
            Act.RECOVERY_CODE_USED,
            Act.SIGNED_OUT,
            Act.SESSIONS_ENDED,
            Act.SESSIONS_ENDED_BY_PROVIDER,
        ),
    ),
    "geweigerd": (
        N_("Refused attempts"),
        (Act.SIGN_IN_REFUSED, Act.CODE_REFUSED, Act.SECOND_FACTOR_LOCKED, Act.PROVIDER_SIGN_IN_REFUSED),
    ),
    "wachtwoord": (N_("Passwords and links"), (Act.PASSWORD_CHANGED, Act.PASSWORD_SET_BY_LINK, Act.LINK_MADE)),
    "tweede-stap": (
        N_("Second step"),
        (
            Act.SECOND_FACTOR_SET,
            Act.SECOND_FACTOR_REMOVED,
            Act.SECOND_FACTOR_RESET,
            Act.RECOVERY_CODES_RENEWED,
            Act.PASSKEY_ADDED,
            Act.PASSKEY_REMOVED,
        ),
    ),
    "beheer": (
        N_("Users and roles"),
        (
            Act.USER_ADDED,
            Act.USER_ADDED_BY_PROVIDER,
            Act.NAME_CHANGED,
            Act.ROLES_CHANGED,
            Act.ROLES_CHANGED_BY_PROVIDER,
            Act.USER_DISABLED,
            Act.USER_ENABLED,
            Act.PROVIDER_LINKED,
            Act.PROVIDER_UNLINKED,
            Act.ACCOUNTS_CONNECTED,
            Act.ACCOUNTS_DISCONNECTED,
            Act.AUDITOR_LIMITED,
        ),
    ),
    "lezen": (
        N_("Read by auditors"),
        (
            *(Act.READ_REPORT, Act.TOOK_REPORT, Act.READ_EVIDENCE, Act.TOOK_EVIDENCE, Act.READ_ADVICE),
            *(Act.READ_HISTORY, Act.TOOK_HISTORY),
        ),
    ),
    "installatie": (
        N_("Operators of the installation"),
        (
            *(Act.MUNICIPALITY_ADDED, Act.MUNICIPALITY_RENAMED, Act.MUNICIPALITY_CLOSED, Act.MUNICIPALITY_REOPENED),
            Act.ADMINISTRATOR_INVITED,
        ),
    ),
    "vervanging": (N_("Deputies"), (Act.MANDATE_RECORDED, Act.MANDATE_WITHDRAWN, Act.MANDATE_USED)),
    "wissen": (
        N_("Personal data"),
        (
            Act.PERSONAL_DATA_TAKEN,
            Act.ERASURE_ASKED,
            Act.ERASURE_DECLINED,
            Act.PERSONAL_DATA_ERASED,
            Act.ACCOUNT_ERASED,
        ),
    ),
}
WORDS: Final[dict[Act, str]] = {
    Act.SIGNED_IN: N_("Logged in"),
    Act.SIGNED_IN_WITH_PASSKEY: N_("Logged in with a passkey"),
    Act.SIGNED_IN_WITH_PROVIDER: N_("Logged in through the organisation"),
    Act.PROVIDER_SIGN_IN_REFUSED: N_("Refused after logging in at the organisation"),
    Act.SESSIONS_ENDED_BY_PROVIDER: N_("Logged out by the organisation"),
    Act.USER_ADDED_BY_PROVIDER: N_("Account made at the first sign-in through the organisation"),
    Act.ROLES_CHANGED_BY_PROVIDER: N_("Roles changed by the organisation"),
    Act.PROVIDER_LINKED: N_("Linked the account to the organisation"),
    Act.PROVIDER_UNLINKED: N_("Unlinked the account from the organisation"),
    Act.SIGN_IN_REFUSED: N_("Wrong password"),
    Act.CODE_REFUSED: N_("Wrong code"),
    Act.SECOND_FACTOR_LOCKED: N_("Second step locked after many wrong codes"),
    Act.RECOVERY_CODE_USED: N_("Used a recovery code"),
    Act.SIGNED_OUT: N_("Logged out"),
    Act.SESSIONS_ENDED: N_("Ended other sessions"),
    Act.PASSWORD_CHANGED: N_("Changed the password"),
    Act.PASSWORD_SET_BY_LINK: N_("Set a password with a link"),
    Act.LINK_MADE: N_("Made a link to set a password"),
    Act.USER_ADDED: N_("Added the account"),
    Act.NAME_CHANGED: N_("Changed the name"),
    Act.ROLES_CHANGED: N_("Changed the roles"),
    Act.USER_DISABLED: N_("Disabled the account"),
    Act.USER_ENABLED: N_("Enabled the account"),
    Act.SECOND_FACTOR_SET: N_("Set up the second step"),
    Act.SECOND_FACTOR_REMOVED: N_("Turned off the second step"),
    Act.SECOND_FACTOR_RESET: N_("Removed the second step"),
    Act.RECOVERY_CODES_RENEWED: N_("Made new recovery codes"),
    Act.PASSKEY_ADDED: N_("Added a passkey"),
    Act.PASSKEY_REMOVED: N_("Removed a passkey"),
    Act.ACCOUNTS_CONNECTED: N_("Recorded that two accounts are of one person"),
    Act.ACCOUNTS_DISCONNECTED: N_("Recorded that two accounts are not of one person"),
    Act.MANDATE_RECORDED: N_("Recorded a deputy"),
    Act.MANDATE_WITHDRAWN: N_("Withdrew a deputy"),
    Act.MANDATE_USED: N_("Decided in the name of this manager"),
    Act.AUDITOR_LIMITED: N_("Changed to what the auditor has access"),
    Act.MUNICIPALITY_ADDED: N_("Added the municipality"),
    Act.MUNICIPALITY_RENAMED: N_("Changed the name of the municipality"),
    Act.MUNICIPALITY_CLOSED: N_("Closed the municipality"),
    Act.MUNICIPALITY_REOPENED: N_("Opened the municipality again"),
    Act.ADMINISTRATOR_INVITED: N_("Made a link for the first administrator"),
    Act.READ_REPORT: N_("Read a report"),
    Act.TOOK_REPORT: N_("Downloaded a report"),
    Act.READ_EVIDENCE: N_("Read evidence that is not public"),
    Act.TOOK_EVIDENCE: N_("Downloaded evidence that is not public"),
    Act.READ_ADVICE: N_("Read advice"),
    Act.READ_HISTORY: N_("Read the history of a trajectory"),
    Act.TOOK_HISTORY: N_("Downloaded the history of the municipality"),
    Act.PERSONAL_DATA_TAKEN: N_("Downloaded what is held about this person"),
    Act.ERASURE_ASKED: N_("Asked to erase personal data"),
    Act.ERASURE_DECLINED: N_("Declined to erase personal data"),
    Act.PERSONAL_DATA_ERASED: N_("Erased personal data in texts"),
    Act.ACCOUNT_ERASED: N_("Erased the account"),
}
# Nobody is signed in where these happen; anything else without a person behind it came from the command line.
REFUSED: Final = frozenset({*KINDS["geweigerd"][1], Act.SESSIONS_ENDED_BY_PROVIDER})
assert WORDS.keys() == set(Act)


@router.get("/beheer/logboek")
def show_log(
    request: Request, session: ReadSession, caller: Reader, wie: str = "", wat: str = "", pagina: str = "1"
) -> Response:
    kind = wat if wat in KINDS else ""
    people = user_admin.people(session, caller.municipality_id)
    about = next((each.id for each in people if str(each.id) == wie), None)
    page = int(pagina) if pagina.isascii() and pagina.isdigit() and len(pagina) < 6 and int(pagina) else 1
    events, count = account_log.events(
        session,
        since=now(request) - SHOWN,
        acts=KINDS[kind][1] if kind else (),
        about=about,
        limit=PAGE_SIZE,
        offset=(page - 1) * PAGE_SIZE,
    )
    texts = gettext_for(language_of(request))
    return render(
        request,
        "accounts/log.html",
        events=events,
        count=count,
        words=WORDS,
        refused=REFUSED,
        cut=account_sweep.last_cut(session),
        roles={role.value: role for role in Role},
        organisation=partial(provider_name, request),
        names={str(each.id): each.name for each in people},
        kinds=[(name, texts.gettext(label)) for name, (label, _) in KINDS.items()],
        people=[(str(each.id), each.name) for each in people],
        page=page,
        pages=max(1, -(-count // PAGE_SIZE)),
        days=SHOWN.days,
        form=FormState.of(wie=str(about) if about else "", wat=kind),
    )
