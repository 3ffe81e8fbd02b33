"""The window of unacknowledged messages, compiled and from the source: time-outs, retries, giving up, Karn's rule."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from both_forms import FORMS, module_in

MS = 1_000_000
TIMEOUT_MS = 100


@pytest.fixture(scope="session", params=FORMS)
def acks(request: pytest.FixtureRequest) -> ModuleType:
    return module_in(request.param, "squall.delivery.acks")


def window_of(acks: ModuleType, pauses_ms: tuple[int, ...] = (10, 20), room: int = 100) -> Any:
    """Stream 7's window: 100 ms for an attempt, pauses as they are."""
    pauses_s = [pause_ms / 1e3 for pause_ms in pauses_ms]
    return acks.AckWindow(acks.Retries(TIMEOUT_MS / 1e3, pauses_s, jitter=False, seed=1), 7, room)


def sent(window: Any, sequence: int, at_ms: int, epoch: int = 0) -> None:
    window.add(sequence, 0, sequence, at_ms * MS, at_ms * MS, epoch)


def advanced(window: Any, at_ms: int, epoch: int = 0) -> tuple[list[int], list[int]]:
    """What is sent again (and is), and what is given up."""
    due, through = window.advance(at_ms * MS)
    for message in due:
        window.sent_again(message, message.due_ns, epoch)
    return [each.sequence for each in due], [each.sequence for each in through]


def test_the_whole_schedule_of_a_message_that_nobody_acknowledges(acks: ModuleType) -> None:
    window = window_of(acks)
    sent(window, 0, 0)
    assert window.next_ns == 100 * MS
    assert advanced(window, 99) == ([], [])
    assert advanced(window, 109) == ([], [])
    assert window.next_ns == 110 * MS  # timed out at 100, pauses 10
    assert advanced(window, 110) == ([0], [])
    assert window.next_ns == 210 * MS  # its second attempt was due at 110
    assert advanced(window, 230) == ([0], [])  # timed out at 210, pauses 20
    assert advanced(window, 329) == ([], [])
    assert advanced(window, 330) == ([], [0])
    assert (window.count(), window.timed_out, window.retries.longest_ns) == (0, 3, 330 * MS)
    assert window.next_ns > 1 << 61


def test_a_time_out_runs_from_when_the_message_could_go_and_its_times_from_when_it_was_due(
    acks: ModuleType,
) -> None:
    window = window_of(acks)
    window.add(0, 0, 0, 0, 500 * MS, 0)
    assert window.next_ns == 600 * MS
    assert window.acknowledge(0) == acks.ACKNOWLEDGED
    assert (window.found.intended_ns, window.found.begun_ns(1)) == (0, 0)


def test_without_retries_the_first_time_out_is_the_last(acks: ModuleType) -> None:
    window = window_of(acks, ())
    sent(window, 0, 0)
    assert advanced(window, 100) == ([], [0])


def test_an_acknowledgement_takes_a_message_out_once(acks: ModuleType) -> None:
    window = window_of(acks)
    for sequence in range(3):
        sent(window, sequence, 0)
    assert [window.acknowledge(1) for _ in range(3)] == [acks.ACKNOWLEDGED, acks.AGAIN, acks.AGAIN]
    assert window.count() == 2
    assert advanced(window, 110)[0] == [0, 2]


def test_one_that_comes_while_the_message_pauses_saves_the_retry(acks: ModuleType) -> None:
    window = window_of(acks)
    sent(window, 0, 0)
    advanced(window, 105)
    assert window.acknowledge(0) == acks.ACKNOWLEDGED
    assert (window.found.attempt, window.found.expired_ns) == (1, 100 * MS)
    assert advanced(window, 500) == ([], [])


def test_one_of_a_message_that_was_given_up_is_late_once_and_then_again(acks: ModuleType) -> None:
    window = window_of(acks, ())
    for sequence in range(4):
        sent(window, sequence, 0)
    assert advanced(window, 100)[1] == [0, 1, 2, 3]
    assert window.acknowledge(2) == acks.LATE
    assert window.acknowledge(2) == acks.AGAIN
    assert [window.epoch_unacknowledged(sequence) for sequence in range(5)] == [0, 0, -1, 0, -1]


def test_which_attempt_an_acknowledgement_is_timed_from(acks: ModuleType) -> None:
    """Karn: none is named, and there were several; or one is named that was never made."""
    window = window_of(acks)
    sent(window, 0, 0)
    advanced(window, 110)
    advanced(window, 230)
    assert window.acknowledge(0) == acks.ACKNOWLEDGED
    begun = {attempt: window.found.begun_ns(attempt) for attempt in (0, 1, 2, 3, 4, 15)}
    assert begun == {0: -1, 1: 0, 2: 110 * MS, 3: 230 * MS, 4: -1, 15: -1}


def test_before_a_retry_one_that_names_no_attempt_means_the_only_one(acks: ModuleType) -> None:
    window = window_of(acks)
    sent(window, 0, 5)
    window.acknowledge(0)
    assert [window.found.begun_ns(attempt) for attempt in (0, 1, 2)] == [5 * MS, 5 * MS, -1]


def test_a_retry_that_could_not_be_made_is_due_again(acks: ModuleType) -> None:
    window = window_of(acks)
    sent(window, 0, 0)
    for at_ms in (110, 300, 10_000):
        due, through = window.advance(at_ms * MS)
        assert ([each.sequence for each in due], through) == ([0], [])
        window.put_off(due[0])
        assert window.next_ns <= at_ms * MS
    due, _ = window.advance(10_000 * MS)
    window.sent_again(due[0], 10_000 * MS, 3)
    assert (due[0].attempt, due[0].epoch, window.next_ns) == (2, 3, 10_100 * MS)


def test_the_epoch_of_the_last_attempt_is_kept_for_the_end(acks: ModuleType) -> None:
    window = window_of(acks, (10,))
    for sequence in range(3):
        sent(window, sequence, 0)
    window.acknowledge(1)
    advanced(window, 110, epoch=4)
    assert [window.epoch_unacknowledged(sequence) for sequence in range(3)] == [4, -1, 4]
    advanced(window, 1000, epoch=5)
    assert [window.epoch_unacknowledged(sequence) for sequence in range(3)] == [4, -1, 4]


def test_after_the_end_nobody_can_tell(acks: ModuleType) -> None:
    window = window_of(acks, ())
    sent(window, 0, 0)
    sent(window, 1, 0)
    window.acknowledge(0)
    window.settle(2)
    assert [window.acknowledge(sequence) for sequence in (0, 1)] == [acks.UNDECIDED] * 2
    assert (window.count(), window.epoch_unacknowledged(1), advanced(window, 1000)) == (0, -2, ([], []))


def test_a_full_window_takes_no_more(acks: ModuleType) -> None:
    window = window_of(acks, room=2)
    assert not window.is_full()
    sent(window, 0, 0)
    sent(window, 1, 0)
    assert window.is_full()
    window.acknowledge(0)
    assert not window.is_full()


def test_what_was_given_up_is_kept_as_runs_and_the_oldest_are_forgotten(
    acks: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acks, "RUNS_MAX", 3)
    window = window_of(acks, ())
    for sequence in range(8):
        sent(window, sequence, 0)
    for sequence in (1, 3, 5):
        window.acknowledge(sequence)
    advanced(window, 100)  # 0, 2, 4 and 6 to 7: four runs
    assert [window.epoch_unacknowledged(sequence) for sequence in range(8)] == [-2, -1, 0, -1, 0, -1, 0, 0]
    assert [window.acknowledge(sequence) for sequence in (0, 2, 7, 1)] == [
        acks.UNDECIDED,
        acks.LATE,
        acks.LATE,
        acks.AGAIN,
    ]


def test_pauses_are_drawn_by_the_seed_over_all_that_is_allowed(acks: ModuleType) -> None:
    def pauses(seed: int, stream: int, retry: int) -> list[int]:
        retries = acks.Retries(1, (0.5, 1.0), jitter=True, seed=seed)
        return [retries.pause_ns(stream, sequence, retry) for sequence in range(400)]

    first, second = pauses(1, 2, 0), pauses(1, 2, 1)
    assert first == pauses(1, 2, 0)
    assert all(first != other for other in (second, pauses(2, 2, 0), pauses(1, 3, 0)))
    assert 0 <= min(first) < 10 * MS
    assert 490 * MS < max(first) < 500 * MS
    assert 980 * MS < max(second) < 1000 * MS
    assert 225 * MS < sum(first) / 400 < 275 * MS


def test_the_envelope_counts_fifteen_attempts(acks: ModuleType) -> None:
    assert acks.Retries(1, [0.1] * 14, jitter=True, seed=1).attempts == acks.ATTEMPTS_MAX
    with pytest.raises(ValueError, match="15 retries"):
        acks.Retries(1, [0.1] * 15, jitter=True, seed=1)
