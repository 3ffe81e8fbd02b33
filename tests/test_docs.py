"""The pages lead somewhere, and say what the code says."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import typer.main

from squall.cli.app import app
from squall.errors import EXIT_PRECEDENCE, ExitCode
from squall.metrics import catalogue
from squall.metrics.summary_document import Connections, Delivery
from squall.metrics.totals import EVERYTHING, Totals
from squall.protocols.base import Answered, Frame, Seat, Surroundings, Unexpected, Wrong
from squall.scenario.loader import Override, load_scenario
from squall.scenario.models import Scenario
from squall.store.codec import Kind
from squall.store.columns import COLUMNS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
ANYWHERE = {"target.url": Override("ws://127.0.0.1:1/", "the test")}


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(page.read_text()) if kind == language]


def all_blocks(language: str) -> list[Any]:
    """Every block of a language, each under its page and number."""
    return [
        pytest.param(text, id=f"{named(page)}-{number}")
        for page in PAGES
        for number, text in enumerate(blocks(page, language))
    ]


def commands() -> list[Any]:
    """Every command line of squall in the pages, as words."""
    found = []
    for page in PAGES:
        for text in blocks(page, "sh"):
            for line in text.replace("\\\n", " ").splitlines():
                words = shlex.split(line, comments=True)
                words = words[next((at for at, word in enumerate(words) if "=" not in word), 0) :]
                if words and Path(words[0]).name == "squall":
                    found.append(pytest.param(words[1:], id=f"{named(page)}: {' '.join(words[1:4])}"))
    return found


def slugs(page: Path) -> set[str]:
    """What the headings of a page are called in a link."""
    heads = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    astray = []
    for target in LINK.findall(page.read_text()):
        path, _, anchor = target.partition("#")
        aim = page.parent / path if path else page
        if "://" not in target and (not aim.exists() or (anchor and anchor not in slugs(aim))):
            astray.append(target)
    assert astray == []


def test_every_page_is_reached_from_the_index() -> None:
    seen: set[Path] = set()
    ahead = [DOCS / "index.md"]
    while ahead:
        page = ahead.pop()
        if page not in seen:
            seen.add(page)
            links = [
                target.partition("#")[0] for target in LINK.findall(page.read_text()) if "://" not in target
            ]
            ahead += [aim for link in links if (aim := (page.parent / link).resolve()).suffix == ".md"]
    assert sorted(named(page) for page in PAGES if page.is_relative_to(DOCS) and page not in seen) == []


@pytest.mark.parametrize("text", all_blocks("python"))
def test_python_examples_compile(text: str) -> None:
    compile(text, "example", "exec")


@pytest.mark.parametrize("text", all_blocks("yaml"))
def test_yaml_examples_are_scenarios(text: str, tmp_path: Path) -> None:
    file = tmp_path / "example.yaml"
    file.write_text(text)
    for name in re.findall(r"[\w-]+\.(?:pem|key|csv)", text):
        there = ROOT / "examples" / name
        (tmp_path / name).write_text(there.read_text() if there.exists() else "")
    load_scenario(file, overrides={} if "target:" in text else ANYWHERE)


@pytest.mark.parametrize("words", commands())
def test_command_lines_are_understood(words: list[str]) -> None:
    command = typer.main.get_command(app).commands[words[0]]  # type: ignore[attr-defined] # it is a group
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in words[1:] if re.fullmatch(r"--?[a-z][a-z-]*", word)} - known == set()


def test_the_profile_of_the_how_to_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    made = ModuleType("quadratic")
    monkeypatch.setitem(sys.modules, "quadratic", made)
    exec(blocks(DOCS / "how-to" / "add-a-profile.md", "python")[0], made.__dict__)
    up, down = made.Quadratic(0, 100, 10.0), made.Quadratic(100, 0, 10.0)
    assert [up.level_at(t_s) for t_s in (0, 5, 9.99, 10)] == [0, 25, 99, 100]
    assert (down.level_at(5), down.end, len(down.moves(100))) == (75, 0, 100)
    assert np.all(np.diff(up.moves(0).offset_s) > 0)
    assert up.describe() == "quadratic from 0 to 100 connections in 10 s"


def test_the_exchange_of_the_how_to_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for name, text in zip(
        ("scenario", "protocols"), blocks(DOCS / "how-to" / "add-an-exchange.md", "python"), strict=True
    ):
        module = ModuleType(f"squall.{name}.shout")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(text, module.__dict__)
        made.append(module)
    exchange = made[0].ShoutExchange(word="hi")
    assert (exchange.sends, exchange.enveloped, exchange.words(None)) == (
        True,
        False,
        "says 'hi', expects it louder",
    )
    talk = made[1].ShoutTalk(exchange, Seat(7, 3, {}), Surroundings())
    assert [talk.message(number, 0, 0) for number in (0, 1)] == ["0 hi", "1 hi"]
    frames = [Frame(text, True, 0) for text in (b"1 HI", b"0 hi", b"2 HI", b"\xff", b"9" * 5000)]
    assert [talk.read(frame) for frame in frames] == [
        Answered(1),
        Wrong(0, "not_louder"),
        Unexpected("no_number"),
        Unexpected("no_number"),
        Unexpected("no_number"),
    ]


def test_the_metric_of_the_how_to_can_be_read() -> None:
    example = blocks(DOCS / "how-to" / "add-a-metric.md", "python")[0]
    made = eval(example, dict(vars(catalogue)))
    assert made.name not in catalogue.CATALOGUE
    assert made.read(Totals([], []), EVERYTHING) == 0


def test_every_exit_code_is_explained() -> None:
    page = (DOCS / "reference" / "exit-codes.md").read_text()
    assert [code for code in ExitCode if f"| {code.value} | `{code.name}` |" not in page] == []
    assert ", ".join(str(code.value) for code in EXIT_PRECEDENCE if code) in page


def test_every_setting_is_explained() -> None:
    page = (DOCS / "reference" / "scenario.md").read_text()
    assert [name for name in Scenario.model_fields if f"`{name}" not in page] == []


def test_every_figure_of_the_account_is_defined() -> None:
    page = (DOCS / "reference" / "definitions.md").read_text()
    figures = {*Connections.__struct_fields__, *Delivery.__struct_fields__}
    assert {name for name in figures if name not in page and name.replace("_", " ") not in page} == set()


def test_the_architecture_names_every_room_and_only_what_is_there() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text()
    source = ROOT / "src" / "squall"
    rooms = {path.parent.name for path in source.glob("*/__init__.py")} - {"squall"}
    assert {room for room in rooms if f"`{room}/`" not in page and f" {room}/`" not in page} == set()
    files = set(re.findall(r"`((?:[a-z_]+/)*[a-z_]+\.py)`", page))
    missing = {name for name in files if not any(path.match(name) for path in source.rglob("*.py"))}
    assert missing == set()
    assert page.count("\n") < 200


def test_the_page_of_the_run_folder_names_all_that_the_log_has() -> None:
    page = (DOCS / "reference" / "run-folder.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| (\d+) ([a-z ]+) \|", page, re.MULTILINE))
    assert {int(number): words.replace(" ", "_").upper() for number, words in rows.items()} == {
        kind.value: kind.name for kind in Kind
    }
    named_columns = re.search(r"`columns` names its fields.*?the list\s+of them", page, re.DOTALL)
    assert named_columns is not None
    assert set(re.findall(r"`(\w+)`", named_columns[0])) - {"columns"} == set(COLUMNS)
