from __future__ import annotations

from squall.reports.left_out import LINES_MAX, left_out, sentences


def test_what_is_cut_is_counted_in_words() -> None:
    assert left_out(LINES_MAX) == ""
    assert left_out(LINES_MAX + 1) == "1 more line is not drawn."
    assert left_out(LINES_MAX + 1200, "place") == "1,200 more places are not drawn."


def test_sentences_that_say_nothing_leave_no_space() -> None:
    assert sentences("One.", "", "Two.") == "One. Two."
    assert sentences("", "") == ""
