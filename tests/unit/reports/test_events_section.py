"""The table of what was noted."""

from __future__ import annotations

from made_runs import S
from squall.metrics.history import EVENTS_MAX, History
from squall.record.snapshots import Event
from squall.reports.events_section import noted_events
from unit.reports.test_sections import cells


def test_nothing_noted_says_so() -> None:
    assert noted_events(History()) == "<p>Nothing was noted.</p>"


def test_events_that_say_the_same_are_one_line_and_all_are_counted() -> None:
    made = History()
    for at_s in range(EVENTS_MAX + 100):
        made.happened(Event(at_ns=at_s * S, kind="drop", text="reset (target)"))
    made.happened(
        Event(at_ns=2 * S, kind="alert", text="<b>", name="connection_latency", figure=812.3, bound=100)
    )
    html = noted_events(made)
    rows = cells(html, "Alerts and events")
    assert ["0:02", "▲ alert", "&lt;b&gt;", "812 ms", "100 ms"] in rows
    assert any("reset (target) (" in row[2] for row in rows)
    assert "100 more are in the record" in html


def test_an_outage_comes_before_a_flood_of_others_and_what_is_cut_is_counted() -> None:
    made = History()
    for number in range(EVENTS_MAX):
        made.happened(Event(at_ns=S, kind="drop", text=f"reset {number}"))
    made.happened(Event(at_ns=4 * S, kind="outage", text="all of them were gone"))
    html = noted_events(made)
    rows = cells(html, "Alerts and events")
    assert rows[-1][:3] == ["0:04", "outage", "all of them were gone"]
    assert len(rows) == 1 + 200
    assert "1 more are in the record" in html


def test_what_is_marked_in_the_charts_has_its_sign() -> None:
    made = History()
    for at_s, kind in enumerate(("alert", "alert_cleared", "worker_lost", "drop", "outage")):
        made.happened(Event(at_ns=at_s * S, kind=kind, text="x"))
    kinds = [row[1] for row in cells(noted_events(made), "Alerts and events")[1:]]
    assert kinds == ["▲ alert", "▽ alert cleared", "◆ worker lost", "drop", "outage"]


def test_drops_and_forced_closes_name_their_streams() -> None:
    made = History()
    made.happened(Event(at_ns=S, kind="forced", text="no close frame within 5 s", stream=17))
    for number in (3, 4, 4, 5):
        made.happened(Event(at_ns=2 * S, kind="drop", text="reset (target)", stream=number))
    for number in range(10):
        made.happened(Event(at_ns=3 * S, kind="drop", text="went away (target)", stream=number))
    made.happened(Event(at_ns=3 * S, kind="drop", text="and 90 more in the same second"))
    what = [row[2] for row in cells(noted_events(made), "Alerts and events")[1:]]
    assert what == [
        "no close frame within 5 s (stream 17)",
        "reset (target) (4 times, streams 3, 4, 5)",
        "went away (target) (10 times, streams 0, 1, 2, 3, 4, 5, 6, 7 and 2 more)",
        "and 90 more in the same second",
    ]
