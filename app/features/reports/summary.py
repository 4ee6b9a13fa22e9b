"""The report in a few sentences, and what it says about itself."""

from __future__ import annotations

from app.features.reports.texts import Words
from app.features.reports.values import Contents, Report
from app.web.i18n import N_


def summary(report: Contents, words: Words) -> list[str]:
    """Seven sentences at most: how far, what was approved, what is open, what we do not know, on what it rests, what
    was set aside."""
    lines = [
        words.say(
            N_("%(done)s of %(total)s parts of the trajectory are done."),
            done=report.progress.done,
            total=report.progress.total,
        ),
        words.say(
            N_("Approved: %(approved)s of %(total)s stages."),
            approved=report.approved_count,
            total=report.current_count,
        ),
    ]
    if report.skipped_count:
        lines.append(
            words.ngettext(
                "%(num)s stage was skipped; its parts count as done.",
                "%(num)s stages were skipped; their parts count as done.",
                report.skipped_count,
            )
        )
    if report.open_points:
        n = len(report.open_points)
        lines.append(words.ngettext("There is %(num)s open point.", "There are %(num)s open points.", n))
    else:
        lines.append(words.say(N_("There are no open points.")))
    if report.blind_spots:
        lines.append(
            words.ngettext(
                "The checklist has %(num)s blind spot: a statement that is unknown or not answered.",
                "The checklist has %(num)s blind spots: statements that are unknown or not answered.",
                report.blind_spots,
            )
        )
    n = report.evidence_in_force
    lines.append(
        words.ngettext("%(num)s piece of evidence supports this.", "%(num)s pieces of evidence support this.", n)
    )
    if report.parked:
        n = len(report.parked)
        lines.append(
            words.ngettext(
                "%(num)s part has no place in the present version of the step plan. It was set aside.",
                "%(num)s parts have no place in the present version of the step plan. They were set aside.",
                n,
            )
        )
    return lines


VERSIONS = {
    "started": N_("Begun on version %(version)s, by %(by)s on %(moment)s. SHA-256 %(digest)s."),
    "moved": N_("Went to version %(version)s, by %(by)s on %(moment)s. SHA-256 %(digest)s."),
    "undone": N_("Went back to version %(version)s, by %(by)s on %(moment)s. SHA-256 %(digest)s."),
}


def versions(report: Contents, words: Words) -> list[str]:
    """The versions of the plan that the run went through; nothing for a run that never moved."""
    return [
        words.say(
            VERSIONS[line.kind], version=line.version, by=line.by, moment=words.moment(line.at), digest=line.digest
        )
        for line in report.versions
    ]


def as_it_stood(report: Report, words: Words) -> list[str]:
    """For a report of an earlier moment: what it leaves out; nothing for one of now."""
    if report.on is None:
        return []
    return [
        words.say(
            N_(
                "This is how the trajectory stood on %(day)s, at the end of the day. What happened later is not in it. "
                "What has been erased since is not in it either."
            ),
            day=words.formats.date_text(report.on),
        )
    ]


def account(report: Report, words: Words) -> list[str]:
    """Where the figures come from, so that somebody else can check them."""
    return [
        *as_it_stood(report, words),
        words.say(
            N_("This report shows the trajectory after recorded event %(n)s. It was made by %(by)s on %(moment)s."),
            n=report.revision,
            by=report.made_by,
            moment=words.moment(report.made_at),
        ),
        words.say(
            N_("It follows the step plan %(plan)s, version %(version)s, with SHA-256 %(digest)s."),
            plan=report.plan_id,
            version=report.plan_version,
            digest=report.plan_digest,
        ),
        words.say(
            N_(
                "An approval seals the answers, the checklist and the evidence that were shown. "
                "The seal is the SHA-256 of their commitments."
            )
        ),
    ]
