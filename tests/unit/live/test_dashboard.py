"""The dashboard at several sizes of a terminal."""

from __future__ import annotations

import dataclasses
import io

import pytest
from rich.console import Console

from squall.live.dashboard import Dashboard
from squall.live.picture import Checks, Picture, Times, Title

TITLE = Title("checkout", "ws://127.0.0.1:8080/chat?token=***")

GOLDEN = """\
╭─ checkout → ws://127.0.0.1:8080/chat?token=*** ──────────────────────────────────────────────────╮
│ hold ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━───────────── 0:00:32 of 0:00:45, 0:00:13 left · run 0:01:12 │
│ alert        0:00:41 connection_latency: mean response_time 123 ms, above 100 ms                 │
│                                                                                                  │
│ connections  9,998 of 10,000 held                  ▁▁▁▁▂▂▂▂▃▃▃▃▄▄▄▄▅▅▅▅▆▆▆▆▇▇▇▇█████████████████ │
│ sent         10,012/s                              ▁▁▁▁▁▁▂▂▂▂▂▃▃▃▃▃▃▄▄▄▄▄▄▅▅▅▅▅▆▆▆▆▆▆▇▇▇▇▇██████ │
│ delivered    10,011/s                               ▁▁▁▁▁▂▂▂▂▂▃▃▃▃▃▃▄▄▄▄▄▄▅▅▅▅▅▆▆▆▆▆▆▇▇▇▇▇██████ │
│                                                                                                  │
│ ms                 p50      p95      p99      max                          p99, the last 0:01:12 │
│ response          0.41     0.92     13.3      912  ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁█▁▁▁▁▁▁▁▁▁▁▁▁▁ │
│ service           0.40     0.91     1.30     9.00                                                │
│ send lag          0.01     0.02     0.10     0.30  █████████████████████████████████████████████ │
│                                                                                                  │
│ connects     attempted 10,004  established 10,000  failed 2  dropped 2  closed 0  pending 2  0/s │
│ messages     intended 1,234,567  = delivered 1,234,500  + lost 3  + unknown 0  + not sent 0      │
│              + under way 64                                                                      │
│ besides      duplicated 0  reordered 0  late 0  corrupted 0  unexpected 0  blocked 0             │
│                                                                                                  │
│ errors       4 by the target                                                                     │
│                                                                                                  │
│ target       cpu 62 % (1.24 cores)  busiest thread 97 %  memory 41 % 1.23 GB  descriptors 10,012 │
│ host         cpu 97 %  memory 50 %                                                               │
│                                                                                                  │
│ checks       passed 3  failed 1                                                                  │
│              0:00:00 to 0:00:30: drops 10 % (at most 0.5 %)                                      │
│                                                                                                  │
│ errors       2 × upgrade status 403 (target)                                                     │
│              2 × open reset (target)                                                             │
│                                                                                                  │
│ last         0:01:00 worker lost: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… │
│              0:00:41 drop: session 17 was reset by the target                                    │
╰──────────────────────────────────────────────────── Ctrl-C ends the run in order, twice at once ─╯
"""

LOW = """\
╭─ checkout → ws://127.0.0.1:8080/chat?token=*** ──────────────────────────────╮
│ hold ━━━━━━━━━━━━━━━━━─────── 0:00:32 of 0:00:45, 0:00:13 left · run 0:01:12 │
│ alert        0:00:41 connection_latency: mean response_time 123 ms, above    │
│              100 ms                                                          │
│ connections  9,998 of 10,000 held                  ▁▁▂▂▃▃▄▄▄▅▅▆▆▇▇██████████ │
│ sent         10,012/s                              ▁▁▁▂▂▂▃▃▃▄▄▄▅▅▅▆▆▆▆▇▇▇███ │
│ delivered    10,011/s                              ▁▁▁▂▂▂▃▃▃▄▄▄▅▅▅▆▆▆▆▇▇▇███ │
│                                                                              │
│ ms                 p50      p95      p99      max      p99, the last 0:01:12 │
│ response          0.41     0.92     13.3      912  ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁█▁▁▁▁▁▁▁ │
│ service           0.40     0.91     1.30     9.00                            │
│ send lag          0.01     0.02     0.10     0.30  █████████████████████████ │
│ connects     attempted 10,004  established 10,000  failed 2  dropped 2       │
│              closed 0  pending 2  0/s                                        │
│ messages     intended 1,234,567  = delivered 1,234,500  + lost 3             │
│              + unknown 0  + not sent 0  + under way 64                       │
│ besides      duplicated 0  reordered 0  late 0  corrupted 0  unexpected 0    │
│              blocked 0                                                       │
│ errors       4 by the target                                                 │
│ target       cpu 62 % (1.24 cores)  busiest thread 97 %  memory 41 % 1.23 GB │
│              descriptors 10,012                                              │
│ host         cpu 97 %  memory 50 %                                           │
│ checks       passed 3  failed 1                                              │
╰──────────────────────────────── Ctrl-C ends the run in order, twice at once ─╯
"""


def rendered(picture: Picture, width: int = 100, height: int = 50) -> str:
    console = Console(width=width, height=height, file=io.StringIO(), legacy_windows=False)
    with console.capture() as capture:
        console.print(Dashboard(picture, TITLE))
    return capture.get()


def test_the_picture_at_width_100(picture: Picture) -> None:
    assert rendered(picture) == GOLDEN


def test_a_low_terminal_gets_what_matters_most_without_empty_lines(picture: Picture) -> None:
    assert rendered(picture, 80, 24) == LOW


@pytest.mark.parametrize("width", [20, 40, 63, 64, 80, 200])
@pytest.mark.parametrize("height", [8, 24, 60])
def test_it_keeps_to_the_size_of_the_terminal(picture: Picture, width: int, height: int) -> None:
    lines = rendered(picture, width, height).splitlines()
    assert {len(line) for line in lines} == {width}
    assert len(lines) <= height


def test_a_narrow_terminal_has_no_room_for_rows_over_time(picture: Picture) -> None:
    assert "█" in rendered(picture, 80)
    narrow = rendered(picture, 60)
    assert "█" not in narrow
    assert "9,998 of 10,000 held" in narrow
    assert "13.3" in narrow


def test_an_open_phase_without_troubles_shows_neither_bar_nor_errors(picture: Picture) -> None:
    calm = dataclasses.replace(
        picture,
        phase_duration_s=None,
        troubles=(),
        blames=(),
        events=(),
        alerts=(),
        resources=(),
        checks=Checks(),
    )
    text = rendered(calm)
    for absent in ("━", "errors", "last  ", "alert", "host", "checks"):
        assert absent not in text
    assert "0:00:32 · run 0:01:12" in text


def test_a_phase_that_takes_longer_than_planned_has_nothing_left(picture: Picture) -> None:
    late = dataclasses.replace(picture, phase_duration_s=20.0)
    assert "0:00:32 of 0:00:20 · run" in rendered(late)


def test_pings_have_a_row_where_there_are_any(picture: Picture) -> None:
    pinging = dataclasses.replace(picture, ping=Times(1, 2, 3, 4))
    assert "ping              1.00     2.00     3.00     4.00" in rendered(pinging)


def test_what_is_pushed_has_a_row_once_there_is_any(picture: Picture) -> None:
    assert "pushe" not in rendered(picture)
    delivery = dataclasses.replace(picture.delivery, push_missing=7)
    text = rendered(dataclasses.replace(picture, pushed_hz=1234.0, delivery=delivery))
    assert "pushed       1,234/s" in text
    assert "pushes missing 7" in text


def test_the_account_adds_up(picture: Picture) -> None:
    delivery = picture.delivery
    assert delivery.intended == (
        delivery.delivered + delivery.lost + delivery.unknown + delivery.not_sent + delivery.under_way
    )
    assert "+ under way 64" in rendered(picture)
