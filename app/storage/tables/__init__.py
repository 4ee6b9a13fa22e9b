"""All tables, by room. They stay inside `storage` and the queries of features; screens get frozen view values.

No `from __future__ import annotations` in these files: SQLModel reads the annotations at run time.
"""

from app.storage.tables.account_log import AccountEvent, AccountLogCut
from app.storage.tables.erasure import Erasure
from app.storage.tables.history import EventRow, LogEntry, LogHead, SignedHead, WitnessProgress
from app.storage.tables.mass_moves import MassMove, MassMoveRun
from app.storage.tables.people import AuditorLimit, MandateRow, Membership, Municipality, Operator, SamePerson, User
from app.storage.tables.plans import LocalPlan, PlanDocument, PlanVersion
from app.storage.tables.runs import (
    AnswerRow,
    EvidenceRow,
    OpenPointRow,
    RunAccess,
    RunMember,
    RunRow,
    SealRow,
    StageRow,
    StepRow,
    TextRow,
)
from app.storage.tables.sign_in import (
    AccountLink,
    AnsweredForm,
    AuthenticatorApp,
    LoginAttempt,
    LoginSession,
    Passkey,
    PendingSignIn,
    ProviderAccount,
    ProviderFlow,
    ProviderRole,
    RecoveryCode,
    SpentChallenge,
)

__all__ = [
    "AccountEvent",
    "AccountLink",
    "AccountLogCut",
    "AnswerRow",
    "AnsweredForm",
    "AuditorLimit",
    "AuthenticatorApp",
    "Erasure",
    "EventRow",
    "EvidenceRow",
    "LocalPlan",
    "LogEntry",
    "LogHead",
    "LoginAttempt",
    "LoginSession",
    "MandateRow",
    "MassMove",
    "MassMoveRun",
    "Membership",
    "Municipality",
    "OpenPointRow",
    "Operator",
    "Passkey",
    "PendingSignIn",
    "PlanDocument",
    "PlanVersion",
    "ProviderAccount",
    "ProviderFlow",
    "ProviderRole",
    "RecoveryCode",
    "RunAccess",
    "RunMember",
    "RunRow",
    "SamePerson",
    "SealRow",
    "SignedHead",
    "SpentChallenge",
    "StageRow",
    "StepRow",
    "TextRow",
    "User",
    "WitnessProgress",
]
