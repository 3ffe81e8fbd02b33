"""The verdict as JUnit XML, for the pages of a CI system: a case for each bound that was judged.

The rule: the file is red where the exit code is not 0, and green where it is. GitLab and Jenkins both take
`<failure>` and `<error>` for red and `<skipped>` for neither, so

- a required bound that failed is a failure; one that is unknown is an error, as nothing was decided (112);
- a bound that is not required is passed or skipped, with the reason, whatever it came to;
- two cases are of the run itself: that it came to its end, and that it is valid. Where not, they are errors;
- a stability check that failed is as red as the bound on all of them: skipped where none is required.

Names of cases hold no figure, so that a CI system follows a bound from run to run. Text that came from elsewhere
has no character that XML cannot hold.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from squall.errors import ExitCode
from squall.metrics.figures import percent
from squall.metrics.readiness import STABILITY_CHECKS
from squall.metrics.stability import failures
from squall.metrics.summary_document import Judged, Summary
from squall.record.run import RunRecord
from squall.reports.wording import notes, printable, verdict_sentence

__all__ = ["junit_xml"]

Colour = Literal["passed", "failure", "error", "skipped"]

_JUDGED_CODES: Final = frozenset((ExitCode.PASSED, ExitCode.FAILED, ExitCode.INVALID, ExitCode.UNKNOWN))
"""Exit codes that say what was judged; any other says that something befell the run itself."""

_CHECKS_MAX: Final = 1_000
"""Of more stability checks than this only those that failed have a case, and no more of these."""

_UNFIT: Final = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    group: str
    name: str
    colour: Colour
    reason: str = ""
    said: str = ""


def junit_xml(record: RunRecord, summary: Summary) -> bytes:
    """The file: one suite, of one run."""
    judged = summary.verdict.judgements or ()
    cases = [*_of_the_run(record, summary), *map(_of_a_bound, judged), *_of_checks(record, judged)]
    counted = Counter(case.colour for case in cases)
    numbers = {
        "tests": str(len(cases)),
        "failures": str(counted["failure"]),
        "errors": str(counted["error"]),
        "skipped": str(counted["skipped"]),
    }
    if summary.duration_s is not None:
        numbers["time"] = f"{summary.duration_s:.3f}"
    root = Element("testsuites", {"name": "squall"} | numbers)
    started = datetime.fromtimestamp(summary.started_wall_ns // 1_000_000_000, tz=UTC)
    stamp = {"timestamp": started.strftime("%Y-%m-%dT%H:%M:%S")}
    suite = SubElement(root, "testsuite", {"name": f"squall: {printable(summary.name)}"} | numbers | stamp)
    _write_properties(suite, _facts(record, summary))
    package = _UNFIT.sub("_", summary.name)
    used: Counter[tuple[str, str]] = Counter()
    for case in cases:
        used[case.group, case.name] += 1
        again = used[case.group, case.name]
        name = case.name if again == 1 else f"{case.name} ({again})"
        _write_case(suite, case, {"classname": f"{package}.{case.group}", "name": name})
    SubElement(suite, "system-out").text = "\n".join(
        [printable(verdict_sentence(record, summary)), *notes(record, summary)]
    )
    indent(root)
    return bytes(tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _of_the_run(record: RunRecord, summary: Summary) -> Iterator[_Case]:
    verdict = summary.verdict
    ended = verdict.exit_code is not None and verdict.exit_code in _JUDGED_CODES
    reason = "" if ended else verdict_sentence(record, summary)
    if not ended and verdict.stopped_by:
        reason = f"stopped by: {verdict.stopped_by}"
    yield _Case(group="run", name="came to its end", colour="passed" if ended else "error", reason=reason)
    if verdict.valid is None:
        yield _Case(group="run", name="is valid", colour="skipped", reason="not judged: there is no verdict")
    elif verdict.valid:
        yield _Case(group="run", name="is valid", colour="passed", said="; ".join(verdict.warnings or ()))
    else:
        reasons = record.verdict.validity.reasons if record.verdict is not None else ()
        yield _Case(
            group="run", name="is valid", colour="error", reason="; ".join(reasons) or "no reason given"
        )


def _of_a_bound(judged: Judged) -> _Case:
    bound = judged.bound.partition(" (")[0] if judged.source == "readiness" else judged.bound
    said = f"{judged.truth}: {judged.evidence}"
    reason = "" if judged.truth == "passed" else said if judged.required else f"not required; {said}"
    return _Case(
        group=judged.source, name=f"{judged.name} {bound}", colour=_colour(judged), reason=reason, said=said
    )


def _of_checks(record: RunRecord, judged: Iterable[Judged]) -> Iterator[_Case]:
    """A case for each stability check. What a failed one means is the bound's to say that is on all of them."""
    bounds = (each for each in judged if (each.source, each.name) == ("readiness", STABILITY_CHECKS))
    bound = next(bounds, None)
    failed_is: Colour = "skipped" if bound is None else _colour(bound)
    names = {phase.id: phase.name for phase in record.phases}
    shown = record.checks
    if len(shown) > _CHECKS_MAX:
        shown = tuple(each for each in shown if not each.passed)[:_CHECKS_MAX]
    for each in shown:
        said = "; ".join(
            f"{words}: {percent(share)}, bound {percent(tolerance)}"
            for _, share, tolerance, words in failures(each)
        )
        required = "" if failed_is != "skipped" else "not required; "
        yield _Case(
            group="stability",
            name=f"check {each.index + 1} of {names.get(each.phase, each.phase)}",
            colour="passed" if each.passed else failed_is,
            reason="" if each.passed else f"{required}{said}",
        )


def _colour(judged: Judged) -> Colour:
    if judged.truth == "passed":
        return "passed"
    if not judged.required:
        return "skipped"
    return "failure" if judged.truth == "failed" else "error"


def _write_case(suite: Element, case: _Case, named: Mapping[str, str]) -> None:
    element = SubElement(suite, "testcase", {key: printable(value) for key, value in named.items()})
    if case.colour != "passed":
        attributes = {"message": printable(case.reason)}
        if case.colour != "skipped":
            attributes["type"] = f"squall.{case.group}"
        SubElement(element, case.colour, attributes)
    if case.said:
        SubElement(element, "system-out").text = printable(case.said)


def _facts(record: RunRecord, summary: Summary) -> dict[str, str]:
    verdict = summary.verdict
    return {
        "run": summary.run_id,
        "squall": summary.squall_version,
        "seed": str(summary.seed),
        "outcome": verdict.outcome or "no verdict",
        "exit_code": "" if verdict.exit_code is None else str(verdict.exit_code),
        "test_environment": summary.test_environment,
        "command": record.header.command,
    }


def _write_properties(suite: Element, facts: Mapping[str, str]) -> None:
    properties = SubElement(suite, "properties")
    for name, value in facts.items():
        if value:
            SubElement(properties, "property", {"name": name, "value": printable(value)})
