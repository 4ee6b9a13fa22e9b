"""Why a file was not taken: a sentence per reason, each with what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.features.evidence.inspection import Problem
from app.web.i18n import N_

EMPTY: Final = N_("“%(name)s” is empty. Choose the file again, or look whether it opens on your computer.")
TOO_LARGE: Final = N_("“%(name)s” is larger than 25 MB. Make it smaller, or add a link to the place where it is kept.")
TOO_MANY: Final = N_("You chose %(n)s files. Add at most %(limit)s at a time.")
SEVERAL: Final = N_("%(n)s files were not added. Below you see which ones, and why.")
NONE_CHOSEN: Final = N_("Choose at least one file.")
CHOOSE_AGAIN: Final = N_("Choose your file again: a browser does not keep it.")
TWIN: Final = N_(
    "“%(name)s” is with this step already, as “%(title)s”. Do you want to change its details? Withdraw that one first."
)
TWIN_LINK: Final = N_("This address is with this step already, as “%(title)s”.")

# %(name)s is what the sender called the file.
PROBLEMS: Final[Mapping[Problem, str]] = MappingProxyType(
    {
        Problem.ARCHIVE: N_("“%(name)s” is a zip file. Unpack it and add the documents that are in it."),
        Problem.BOMB: N_("“%(name)s” unpacks to something far too large. Save the document again, or as PDF."),
        Problem.DAMAGED: N_("We cannot open “%(name)s”. Look whether it opens on your computer and save it again."),
        Problem.LOCKED: N_("“%(name)s” has a password. Save it without, so that others can read it later."),
        Problem.MACROS: N_("“%(name)s” holds macros: small programs. Save it without macros, or as PDF."),
        Problem.MAIL: N_("“%(name)s” is an e-mail. Save the message as PDF and add that."),
        Problem.NOT_ALLOWED: N_(
            "We do not take files like “%(name)s”. Save it as PDF, as a document, a sheet or a presentation, or as an "
            "image (JPEG or PNG)."
        ),
        Problem.NOT_UTF8: N_(
            "“%(name)s” is a text in an old encoding. Save it as “CSV UTF-8” or as text with encoding UTF-8."
        ),
        Problem.OLD_OFFICE: N_(
            "“%(name)s” is in an old Office format, or has a password. Save it as docx, xlsx, pptx or PDF, without "
            "password."
        ),
        Problem.OTHER_IMAGE: N_(
            "“%(name)s” is an image of a kind that not everybody can open. Save it as JPEG or PNG."
        ),
        Problem.TOO_MANY_PIXELS: N_("The image “%(name)s” has too many pixels. Make it smaller."),
        Problem.TWO_KINDS: N_(
            "“%(name)s” can be read as two different files. Print it to PDF, or save it again, and add that."
        ),
    }
)
