"""The reference page of metrics, written from the catalogue; a test says so when it is not current.

`python -m squall.metrics.reference metrics > docs/reference/metrics.md`
`python -m squall.metrics.reference summary > docs/reference/summary.schema.json`
"""

from __future__ import annotations

import json
import sys

from squall.metrics.catalogue import table
from squall.metrics.readiness import READINESS, Requirement
from squall.metrics.summary_document import summary_schema

__all__ = ["metrics_markdown", "summary_schema_text"]

_HEAD = """\
# Metrics and thresholds

Every metric that a threshold can name, written from the code
(`python -m squall.metrics.reference metrics > docs/reference/metrics.md`).

A threshold is a metric, with tags where wanted, and a bound, as in k6:

```yaml
thresholds:
  ws_response_time: p(95)<200
  ws_response_time{phase:ramp_up}: avg<150ms
  ws_msgs_lost: count==0
```

| kind | what a bound may ask of it | unit |
|---|---|---|
| trend | `avg` `med` `min` `max` `p(N)` | milliseconds, or a duration with its unit (`200ms`) |
| counter | `count`, and `rate`, which is per second | things, things per second |
| rate | `rate`, a share from 0 to 1 | share |
| gauge | `value` (the last one), `avg` `min` `max` | connections, shares, cores, bytes (or a size: `512MiB`) |

Operators: `<` `<=` `>` `>=` `==` `!=` (`===` means `==`). A tag's value that has a comma or a brace in it
stands in double quotes. Tags: `population`, `type` and `phase` by their names (phases of a run: `ramp_up`,
`warm_up`, `hold`, `ramp_down`), `entry_point` (its URL without user and query), `node` (as the service names
it), `code` (a close code), `step`, `kind` and `blame` of an error, `source` (of a watched target, by its name),
`figure` (under a name of your own).

Metrics of the target's machine are those of the source that has the highest figure, where several are watched
([how to watch](../how-to/watch-the-target.md)); where none is, a bound on one is *unknown*.

**Over** says what a metric covers where no phase is named: the whole run, the sustained phases, or the
settled ones, which are those without their warm-up. In a run without such phases it is the whole run.

A share that depends on messages whose outcome is unknown is an interval: the bound passes if it holds for all
of it, fails if it holds nowhere in it, and is *unknown* else, as it is where nothing was measured.

While a run lasts, Prometheus can have each of them: [names and labels there](../how-to/watch-a-run.md#prometheus).

"""

_READINESS = """
## The set `readiness`

`threshold_sets: [readiness]` adds these. Numbers of connections are shares of the level that was planned.
The bounds on the target's machine are required where it is watched; elsewhere they are listed as not measured,
and touch neither outcome nor exit code.

"""


def metrics_markdown() -> str:
    """The whole page."""
    rows = [("bound", "is", "asked for by", "required"), ("---",) * 4]
    rows += [(each.name, each.shown, each.asked, _required(each)) for each in READINESS]
    bounds = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    return f"{_HEAD}## Metrics\n\n{table()}{_READINESS}{bounds}"


def _required(requirement: Requirement) -> str:
    if requirement.watched:
        return "where the target is watched"
    return "yes" if requirement.required else "no"


def summary_schema_text() -> str:
    """The JSON Schema of summary.json, as it is published."""
    return json.dumps(summary_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    pages = {"metrics": metrics_markdown, "summary": summary_schema_text}
    sys.stdout.write(pages[sys.argv[1]]())
