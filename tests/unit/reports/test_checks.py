from __future__ import annotations

import re

from made_runs import S, check
from squall.metrics.history import CHECKS_MAX, History
from squall.reports.checks import stability_checks


def checked(count: int, *failed: int) -> str:
    history = History()
    for index in range(count):
        drops = 5 if index in failed else 0
        history.checked(
            check(
                index=index, start_ns=index * S, end_ns=(index + 1) * S, drops=drops, drop_share=drops / 100
            )
        )
    return stability_checks(history)


def test_without_a_check_nothing_is_said() -> None:
    assert checked(0) == ""


def test_few_stand_there_as_they_are() -> None:
    html = checked(12, 3)
    assert "11 of 12 checks passed" in html
    assert "<details>" not in html
    assert html.count("<tr class=failed>") == 1
    assert "more" not in html


def test_of_many_that_failed_the_others_are_counted() -> None:
    html = checked(40, *range(20))
    outside, _, folded = html.partition("<details>")
    assert outside.count("<tr class=failed>") == 12
    assert "8 more that failed stand under" in outside
    assert folded.count("<tr class=failed>") == 20
    assert "are in the record" not in html


def test_what_is_kept_no_more_is_counted_and_a_failed_one_outlives_it() -> None:
    html = checked(CHECKS_MAX + 50, 2)
    assert f"{CHECKS_MAX + 49} of {CHECKS_MAX + 50} checks passed" in html
    folded = html.partition("<details>")[2]
    assert folded.count("<tr class=failed>") == 1
    assert len(re.findall("<tr class=", folded)) == CHECKS_MAX + 1
    assert "49 more are in the record" in folded
