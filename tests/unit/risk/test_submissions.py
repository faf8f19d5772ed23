from __future__ import annotations

import msgspec

from evenkeel.model.time import MINUTE
from evenkeel.risk.submissions import Submissions, answered, recent_rejections, resumed, sent, within_minute


def test_rejections_are_counted_over_the_last_twenty_answers() -> None:
    submissions = Submissions()
    for number in range(25):
        submissions = answered(submissions, rejected=number % 5 == 0)
    assert recent_rejections(submissions) == 4
    assert (len(submissions.rejected), submissions.rejections) == (20, 5)
    assert recent_rejections(answered(answered(Submissions(), rejected=True), rejected=False)) == 1


def test_a_resume_forgives_rejections_but_no_submissions() -> None:
    submissions = resumed(sent(answered(Submissions(), rejected=True), 5))
    assert (recent_rejections(submissions), within_minute(submissions, 6)) == (0, 1)
    assert submissions.rejections == 1


def test_120_orders_within_a_minute_are_seen_and_none_is_counted_for_longer() -> None:
    """Catalogue row 96: the runaway guard."""
    submissions = Submissions()
    for number in range(150):
        submissions = sent(submissions, number)
    assert (within_minute(submissions, 150), submissions.total) == (120, 150)
    assert within_minute(submissions, 30 + MINUTE) == 119
    assert within_minute(submissions, 29 + MINUTE) == 120
    assert within_minute(submissions, 149 + MINUTE) == 0
    assert msgspec.json.decode(msgspec.json.encode(submissions), type=Submissions) == submissions
