from __future__ import annotations

import msgspec

from evenkeel.model.time import MINUTE
from evenkeel.risk.submissions import Submissions, answered, recent_rejections, resumed, sent, within_minute


def test_rejections_are_counted_over_the_last_twenty_answers() -> None:
    submissions = Submissions()
    for number in range(25):
        submissions = answered(submissions, rejected=number % 5 == 0)
    assert recent_rejections(submissions, 20) == 4
    assert (recent_rejections(submissions, 25), submissions.rejections) == (5, 5)
    assert recent_rejections(answered(answered(Submissions(), rejected=True), rejected=False), 20) == 1


def test_a_resume_forgives_rejections_but_no_submissions() -> None:
    submissions = resumed(sent(answered(Submissions(), rejected=True), 5))
    assert (recent_rejections(submissions, 20), within_minute(submissions, 6)) == (0, 1)
    assert submissions.rejections == 1


def test_orders_within_a_minute_are_counted_and_older_ones_forgotten() -> None:
    """Catalogue row 96: the runaway guard."""
    submissions = Submissions()
    for number in range(150):
        submissions = sent(submissions, number)
    assert (within_minute(submissions, 150), submissions.total) == (150, 150)
    assert within_minute(submissions, 30 + MINUTE) == 119
    assert within_minute(submissions, 149 + MINUTE) == 0
    later = sent(submissions, 30 + MINUTE)
    assert later.sent_ns == (*range(31, 150), 30 + MINUTE)
    assert msgspec.json.decode(msgspec.json.encode(submissions), type=Submissions) == submissions
