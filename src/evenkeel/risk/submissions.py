"""What became of the last orders, and how many went out within a minute: the reject rate and the runaway guard.

Both are folded from the journal, so a restart forgets neither. Source: operations.md 1.10 and 1.3 row 31.
"""

from __future__ import annotations

import msgspec

from evenkeel.model.time import MINUTE

OUTCOMES = 1000
"""Answered orders that are remembered: as many as a profile may look at."""


class Submissions(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """The last submissions of an account.

    Attributes:
        sent_ns: When those within a minute of the last were sent, `known_ns`, oldest first.
        rejected: Of the last orders with a first answer, whether the venue rejected them, oldest first.
        total: Submissions ever.
        rejections: Rejections ever.
    """

    sent_ns: tuple[int, ...] = ()
    rejected: tuple[bool, ...] = ()
    total: int = 0
    rejections: int = 0


def sent(submissions: Submissions, known_ns: int) -> Submissions:
    """Fold that an order was sent."""
    recent = (stamp for stamp in submissions.sent_ns if stamp > known_ns - MINUTE)
    return msgspec.structs.replace(submissions, sent_ns=(*recent, known_ns), total=submissions.total + 1)


def answered(submissions: Submissions, *, rejected: bool) -> Submissions:
    """Fold the first definite answer to an order; one that stays unknown is none."""
    return msgspec.structs.replace(
        submissions,
        rejected=(*submissions.rejected, rejected)[-OUTCOMES:],
        rejections=submissions.rejections + rejected,
    )


def resumed(submissions: Submissions) -> Submissions:
    """Fold a resume: whoever resumed knows of the rejections, so they are counted anew."""
    return msgspec.structs.replace(submissions, rejected=())


def recent_rejections(submissions: Submissions, over: int) -> int:
    """Return how many of the last answered orders were rejected.

    Args:
        submissions: Of the account.
        over: How many are looked at; where there are fewer, the others count as accepted.
    """
    return sum(submissions.rejected[-over:])


def within_minute(submissions: Submissions, now_ns: int) -> int:
    """Return how many submissions are less than a minute old."""
    return sum(stamp > now_ns - MINUTE for stamp in submissions.sent_ns)
