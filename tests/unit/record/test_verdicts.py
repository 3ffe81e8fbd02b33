"""The verdict as data: what is written is read back, and what is none is refused."""

from __future__ import annotations

import msgspec
import pytest

from squall.record.verdicts import Judgement, Validity, Verdict

VERDICT = Verdict(
    outcome="warning",
    validity=Validity(valid=False, reasons=("squall sent late",), warnings=("a second was late",)),
    exit_code=110,
    reasons=("invalid: squall sent late",),
    judgements=(
        Judgement(
            name="none lost",
            source="integrity",
            bound="== 0",
            figure=None,
            truth="unknown",
            required=True,
            evidence="not measured",
        ),
    ),
    stopped_by="interrupted",
)


def test_what_is_written_is_read_back() -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(VERDICT), type=Verdict) == VERDICT


def test_not_measured_is_null_and_never_zero() -> None:
    assert b'"figure":null' in msgspec.json.encode(VERDICT)


@pytest.mark.parametrize(("field", "value"), [("outcome", "unknown"), ("judgements", [{"truth": "maybe"}])])
def test_a_fourth_truth_is_refused(field: str, value: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(msgspec.to_builtins(VERDICT) | {field: value}, type=Verdict)
