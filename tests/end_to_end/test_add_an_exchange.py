"""The exchange of the how-to works where it is put as the page says: in a copy of the sources, against a real service."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from websockets.sync.server import ServerConnection, serve

from squall_run import run_squall

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "add-an-exchange.md"
LINES = (
    (
        "scenario/exchanges.py",
        "from squall.scenario.shout import ShoutExchange",
        "from squall.scenario.templates",
    ),
    ("scenario/exchanges.py", "    | ShoutExchange", ")\n\nExchange = "),
    ("protocols/kinds.py", "from squall.protocols.shout import ShoutTalk", "from squall.scenario"),
    ("protocols/kinds.py", '    "shout": ShoutTalk,', "}\n\n\ndef talk_of"),
)
"""What the page puts into the two lists: file, line, and what it stands in front of."""

SCENARIO = {
    "exchange": {"kind": "shout", "word": "hi"},
    "load": {"connections": 4, "ramp_up": "100ms", "hold": "1s", "ramp_down": "100ms"},
    "traffic": {"rate": "20/s"},
    "delivery": {"drain_timeout": "500ms"},
    "engine": {"workers": 1},
    "outputs": {"html": False},
}


@contextmanager
def shouting_service() -> Iterator[tuple[str, list[str]]]:
    """Answers `42 hello` with `42 HELLO`, each tenth message of a connection as it came. Its URL, and how it answered."""
    said: list[str] = []

    def answer(connection: ServerConnection) -> None:
        for number, text in enumerate(connection, 1):
            said.append("loud" if number % 10 else "quiet")
            connection.send(str(text).upper() if number % 10 else text)

    with serve(answer, "127.0.0.1", 0) as server:
        serving = Thread(target=server.serve_forever)
        serving.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/", said
        finally:
            server.shutdown()
            serving.join()


def changed_as_the_page_says(sources: Path) -> None:
    shutil.copytree(
        ROOT / "src" / "squall", sources, ignore=shutil.ignore_patterns("*.so", "_built.py", "__pycache__")
    )
    files = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    for room, text in zip(("scenario", "protocols"), files, strict=True):
        (sources / room / "shout.py").write_text(text)
    for name, line, before in LINES:
        text = (sources / name).read_text()
        assert text.count(before) == 1
        (sources / name).write_text(text.replace(before, f"{line}\n{before}"))


def test_the_exchange_of_the_how_to_runs_and_is_counted_right(tmp_path: Path) -> None:
    changed_as_the_page_says(tmp_path / "src" / "squall")
    with shouting_service() as (url, said):
        ran = run_squall(
            {"target": url, **SCENARIO}, tmp_path, environment={"PYTHONPATH": str(tmp_path / "src")}
        )
    loud, quiet = Counter(said)["loud"], Counter(said)["quiet"]
    ran.assert_adds_up()
    got = ran.delivery
    assert got["sent"] == loud + quiet > 50
    assert (got["delivered"], got["corrupted_body"], got["lost"]) == (loud, quiet, quiet)
    assert ran.summary is not None
    assert ran.summary["misfits"] == {"not_louder": quiet}
