from __future__ import annotations

import msgspec
import pytest

from squall.metrics.summary_document import Connections, DeliverySuccess, Percentiles, TroubleCount
from squall.record.snapshots import Event
from squall.record.verdicts import Validity, Verdict
from squall.reports.wording import delivered_share, drops, notes, printable, spread, trouble, verdict_sentence
from unit.reports import reported


def test_a_record_that_misses_something_is_said_to() -> None:
    record, summary = reported.passed()
    assert verdict_sentence(record, summary) == "PASSED: all 11 required bounds held."
    cut = msgspec.structs.replace(record, complete=False)
    assert verdict_sentence(cut, summary).endswith("; the record is not complete.")


def test_a_warning_names_its_first_reason_and_counts_the_others() -> None:
    record, summary = reported.passed()
    said = msgspec.structs.replace(
        summary.verdict, outcome="warning", reasons=["it was slow", "two", "three"]
    )
    sentence = verdict_sentence(record, msgspec.structs.replace(summary, verdict=said))
    assert sentence == "WARNING: it was slow, and 2 more reasons."


def test_an_invalid_run_says_what_it_leaves_open() -> None:
    record, summary = reported.passed()
    verdict = msgspec.structs.replace(
        record.verdict,
        outcome="warning",
        validity=Validity(valid=False, reasons=("squall sent late", "more")),
    )
    record = msgspec.structs.replace(record, verdict=verdict)

    def sentence(undecided: int) -> str:
        judged = [
            msgspec.structs.replace(each, truth="unknown") if place < undecided else each
            for place, each in enumerate(summary.verdict.judgements or ())
        ]
        said = msgspec.structs.replace(summary.verdict, outcome="warning", judgements=judged)
        return verdict_sentence(record, msgspec.structs.replace(summary, verdict=said))

    assert sentence(0) == "WARNING: squall sent late; all 11 required bounds held."
    assert sentence(3) == (
        "WARNING: squall sent late, so 3 of 11 required bounds cannot be judged; the other 8 held."
    )
    assert sentence(11) == "WARNING: squall sent late, so 11 of 11 required bounds cannot be judged."


def test_what_changes_how_figures_are_read_is_noted() -> None:
    record, summary = reported.passed()
    assert notes(record, summary) == []
    verdict = Verdict(
        outcome="warning",
        validity=Validity(valid=False, reasons=("sent late",)),
        exit_code=110,
        reasons=(),
        judgements=(),
    )
    record = msgspec.structs.replace(
        record, verdict=verdict, events=(Event(at_ns=0, kind="store", text="no space\x1b[2J left"),)
    )
    summary = msgspec.structs.replace(
        summary,
        verdict=msgspec.structs.replace(summary.verdict, stopped_by="interrupted", warnings=["seconds late"]),
        events_complete=False,
        window_exceeded=2,
        service_unmeasured=3,
        invalid_utf8=4,
    )
    said = notes(record, summary)
    assert said[:3] == ["INVALID: sent late", "warning: seconds late", "stopped by: interrupted"]
    assert said[3] == "store: no space\ufffd[2J left"
    assert len(said) == 8
    assert "no UTF-8: 4;" in said[7]
    assert "1007" in said[7]


@pytest.mark.parametrize(
    ("lower", "upper", "text"),
    [
        (None, None, "not measured"),
        (1.0, 1.0, "100 % of sent"),
        (0.99996, 1.0, "between 99.996 % and 100 % of sent"),
        (0.98598, 0.98641, "about 98.6 % of sent"),
    ],
)
def test_delivery_success_is_a_share_or_two_ends(lower: float | None, upper: float | None, text: str) -> None:
    assert delivered_share(DeliverySuccess(lower=lower, upper=upper)) == text


def test_what_became_of_dropped_connections_is_said_where_it_is_known() -> None:
    _, plain = reported.passed()
    assert drops(plain) == []
    connections = Connections(dropped=500, reconnected=480, abandoned=20)
    times = Percentiles(p50=400.0, p99=1200.0, max=3200.0, count=480)
    survived = msgspec.structs.replace(plain, connections=connections, reconnect=times)
    assert drops(survived) == [
        "of 500 dropped 480 connected again and 20 did not",
        "without a connection until then p50 400 ms, p99 1.2 s, max 3.2 s",
    ]


def test_short_forms() -> None:
    assert spread("ping", Percentiles()) == "ping not measured"
    assert (
        spread("ping", Percentiles(p50=1, p99=2, max=1500, count=3)) == "ping p50 1 ms, p99 2 ms, max 1.5 s"
    )
    found = TroubleCount(step="upgrade", kind="status_403", blame="target", count=2)
    assert trouble(found) == "upgrade status 403 (target)"


@pytest.mark.parametrize(
    ("least", "most", "words"),
    [
        (0, 0, "target"),
        (9, 9, "squall's own faults"),
        (4, 4, "target; 4 of them squall's own faults"),
        (0, 4, "target; up to 4 of them squall's own faults, the log does not settle it"),
        (2, 4, "target; 2 to 4 of them squall's own faults, the log does not settle it"),
    ],
)
def test_of_an_error_it_is_said_how_many_squalls_own_faults_are(least: int, most: int, words: str) -> None:
    found = TroubleCount(
        step="open", kind="reset", blame="target", count=9, by_faults=least, by_faults_most=most
    )
    assert trouble(found) == f"open reset ({words})"
    assert printable("a\tb\n\x07c") == "a b \ufffdc"
