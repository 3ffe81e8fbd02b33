"""From arguments to the exit code: usage, errors, bugs, Ctrl-C, closed pipes."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from squall.cli import doctor as doctor_module
from squall.cli.main import call
from squall.errors import EnvironmentFailure, SquallError, UserCodeError

Squall = Callable[..., Any]


def raising(error: BaseException) -> Callable[..., NoReturn]:
    def show(_state: object) -> NoReturn:
        raise error

    return show


def test_the_version_is_said(squall: Squall) -> None:
    called = squall("--version")
    assert called.code == 0
    assert called.out.startswith("squall ")
    assert called.err == ""


@pytest.mark.parametrize("arguments", [(), ("--help",), ("run", "--help"), ("echo", "--help")])
def test_help_is_a_result(squall: Squall, arguments: tuple[str, ...]) -> None:
    called = squall(*arguments)
    assert called.code == 0
    assert "Usage: squall" in called.out
    assert called.err == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("rnu",), "rnu"),
        (("run", "--conections", "5"), "--connections"),
        (("echo",), "URL"),
        (("schema", "nothing"), "nothing"),
        (("run", "-t", "ws://a/", "-c", "1", "-c", "2"), "is given 2 times"),
    ],
)
def test_wrong_usage_is_104_and_names_the_help(
    squall: Squall, arguments: tuple[str, ...], words: str
) -> None:
    called = squall(*arguments)
    assert called.code == 104
    assert words in called.err
    assert "--help` lists what there is" in called.err
    assert called.out == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "a.yaml", "Authorization: Bearer verysecret"),
        ("run", "--haeder=Authorization: Bearer verysecret"),
        ("run", "-H", "Bearer verysecret"),
        ("schema", "ws://joe:verysecret@host/"),
        ("verysecret: verysecret",),
    ],
)
def test_wrong_usage_shows_no_secret(squall: Squall, arguments: tuple[str, ...]) -> None:
    called = squall(*arguments)
    assert called.code == 104
    assert "verysecret" not in called.err.replace("verysecret: ***", "")


def test_an_error_on_purpose_is_its_message_its_hint_and_its_code(
    squall: Squall, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = EnvironmentFailure("no service", hint="start it")
    monkeypatch.setattr(doctor_module, "show_doctor", raising(error))
    called = squall("doctor")
    assert (called.code, called.err) == (111, "squall: no service\n  hint: start it\n")


def test_code_of_the_user_shows_its_traceback_only_when_asked(
    squall: Squall, monkeypatch: pytest.MonkeyPatch
) -> None:
    def show(_state: object) -> NoReturn:
        raise UserCodeError("callback raised") from ValueError("theirs")

    monkeypatch.setattr(doctor_module, "show_doctor", show)
    called = squall("doctor")
    assert (called.code, called.err) == (107, "squall: callback raised\n")
    assert "ValueError: theirs" in squall("doctor", environment={"SQUALL_DEBUG": "1"}).err


def test_a_bug_has_no_traceback_but_a_file_with_it_and_no_secret(
    squall: Squall, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(doctor_module, "show_doctor", raising(RuntimeError("odd verysecret")))
    called = squall("doctor", environment={"SQUALL_TARGET__HEADERS__KEY": "verysecret"})
    assert called.code == 1
    assert called.err.startswith("squall: a bug of squall, not of your service: RuntimeError: odd ***\n")
    assert "Traceback" not in called.err
    (kept,) = tmp_path.glob("squall-bug-*.txt")
    assert str(kept) in called.err
    text = kept.read_text(encoding="utf-8")
    assert text.startswith("squall doctor\n")
    assert "Traceback" in text
    assert "verysecret" not in text


def test_a_bug_is_shown_at_once_where_that_is_wanted(
    squall: Squall, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(doctor_module, "show_doctor", raising(RuntimeError("odd")))
    called = squall("doctor", environment={"SQUALL_DEBUG": "1"})
    assert called.code == 1
    assert "Traceback" in called.err
    assert list(tmp_path.glob("squall-bug-*")) == []


def test_ctrl_c_outside_a_run_is_105(squall: Squall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_module, "show_doctor", raising(KeyboardInterrupt()))
    called = squall("doctor")
    assert (called.code, called.err) == (105, "squall: interrupted\n")


def test_a_reader_that_wants_no_more_is_no_failure(squall: Squall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_module, "show_doctor", raising(BrokenPipeError()))
    called = squall("doctor")
    assert (called.code, called.err) == (0, "")


class Full(io.StringIO):
    """Takes everything, and cannot keep it."""

    def flush(self) -> None:
        raise OSError(28, "No space left on device")


def test_a_result_that_cannot_be_kept_is_said_so(world: Any) -> None:
    state = world.state("--version")
    state.stdout = Full()
    assert call(state) == 111
    assert "No space left" in state.stderr.getvalue()


def test_every_error_of_the_tree_keeps_its_code(squall: Squall, monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = {SquallError, *SquallError.__subclasses__()}
    for kind in kinds:
        monkeypatch.setattr(doctor_module, "show_doctor", raising(kind("words")))
        assert squall("doctor").code == kind.exit_code
