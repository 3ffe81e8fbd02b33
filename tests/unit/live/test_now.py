"""The top of the live page: HTML of a picture."""

from __future__ import annotations

import dataclasses
from html.parser import HTMLParser

from squall.live.now import now
from squall.live.picture import Picture, Scene
from squall.record.resources import ResourceSample
from squall.record.snapshots import Event


class Words(HTMLParser):
    """All that can be read, and which elements stay open."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the parser's form
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data.strip())


def read(picture: Picture) -> str:
    page = Words(now(picture))
    assert page.open == []
    return " ".join(word for word in page.words if word)


def test_it_has_the_phase_the_last_second_alerts_and_machines(picture: Picture) -> None:
    words = read(picture)
    for expected in (
        "hold 0:00:32 of 0:00:45 run 0:01:12",
        "0:00:41 connection_latency: mean response_time 123 ms, above 100 ms",
        "connections held 9,998 of 10,000",
        "sent 10,012/s",
        "response p99 13.3 ms",
        "lost, unknown, not sent 3 in all",
        "errors 4 4 target",
        "target cpu 62 %",
    ):
        assert expected in words
    assert '<progress max="45.000" value="32.000"' in now(picture)
    assert now(picture).count("<div class=bad>") == 3  # lost, errors, dropped


def test_nothing_measured_is_a_dash_and_nothing_is_bad() -> None:
    words = read(Scene().picture())
    assert "starting 0:00:00 run 0:00:00" in words
    assert "response p50 – ms" in words
    assert "class=bad" not in now(Scene().picture())
    assert "<progress" not in now(Scene().picture())


def test_what_others_wrote_is_text_alone(picture: Picture) -> None:
    nasty = "</dd><script>alert(1)</script>"
    html = now(
        dataclasses.replace(
            picture,
            phase=nasty,
            alerts=(Event(at_ns=1, kind="alert", text=nasty, name="a"),),
            resources=(ResourceSample(at_ns=1, source=nasty, role="target", problem=nasty),),
        )
    )
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 4
