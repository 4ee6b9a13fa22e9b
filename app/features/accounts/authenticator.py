"""What the set-up page shows of an authenticator app: a QR code to scan, and the key to type."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

ISSUER: Final = "Stappenplan"
QUIET_ZONE: Final = 4  # modules of white around it, as scanners need


@dataclass(frozen=True, slots=True)
class ShownApp:
    """`qr` is an SVG; `key` is in groups of four; `uri` opens an app on the same device."""

    qr: Markup
    key: str
    uri: str


def shown_app(secret: str, login: str) -> ShownApp:
    import pyotp

    uri = pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=ISSUER)
    key = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    return ShownApp(qr=_qr(uri), key=key, uri=uri)


def _qr(text: str) -> Markup:
    """One path in the colour of the text around it; the page says in words what it is."""
    import segno

    image = io.BytesIO()
    segno.make(text, error="m").save(
        image, kind="svg", border=QUIET_ZONE, xmldecl=False, svgns=False, svgclass="qr", lineclass=None, omitsize=True
    )
    return Markup(image.getvalue().decode())  # noqa: S704  # made of squares, the text itself is not in it
