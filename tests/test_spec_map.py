"""Where the specification's operations, options, results and bounds live: `docs/reference/spec-map.csv`, resolved.

A row's `name` says what stands for it in squall, several things separated by `; `:

- a dotted path, as in `squall.api.RampUpResult.peak_latency_ms`; with a parameter, `…execute_ramp_up(duration)`;
- `scenario: load.hold`, a setting;
- `readiness: peak latency`, a bound of that set;
- `suites/test_concurrent_connections.py`, a file of the repository.

`value` is the specification's figure in its own words: of an option the default, which one of the names must have once
it is in squall's unit (seconds, messages per second); with a sign before it a bound, which the named one of the set must
state (absolute numbers of connections as shares of the planned level). A row that is not built says `planned`.
"""

from __future__ import annotations

import ast
import csv
import importlib
import inspect
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from squall.api import FaultInjection, LoadTestConfig, LoadTester, MessageConfiguration, MessagePattern
from squall.metrics.ack_test import PARTS as ACK_PARTS
from squall.metrics.ack_test import ack_size, ack_thresholds
from squall.metrics.delivery_bounds import bounds_of
from squall.metrics.ordering_test import ORDERING_TESTS, ordering_thresholds
from squall.metrics.readiness import READINESS, judge_readiness
from squall.metrics.scaling import GROWTH_MAX, LEVELS, STABILITY_MIN, ScalingLevel
from squall.metrics.totals import Totals
from squall.runner.delivery import MESSAGE_TYPES, delivery_settings, delivery_size
from squall.scenario.fields import settings
from squall.scenario.loader import Override, load_scenario
from squall.scenario.models import Scenario

ROOT = Path(__file__).parents[1]
PLANNED = "planned"
PARTS = {"load", "delivery", "failover", "analysis", "suite"}
NOTHING_LEFT = "nothing left behind"
"""The bound that is made for each run: its figure comes from what the workers count at the end."""

LEVEL = 10_000
"""The connections that the specification's absolute numbers are of."""

NO_DEFAULT = {
    "suite.option.test_duration": "it must be possible, and is nowhere the default",
    "load_tester.option.server_endpoint": "a host of somebody else's is never dialled by default",
    "load_tester.option.ramp_up_strategy.doubling_period": "it follows from the duration",
    "execute_ramp_up.callback.returns.continue_ramp_up": "a callback's own; an adaptive ramp stops by it",
    "execute_ramp_up.callback.returns.adjust_ramp_rate": "a callback's own; an adaptive ramp slows by it",
    "execute_scaling_test.option.target_connections": "each level has its own",
    "execute_scaling_test.option.test_duration": "each level has its own",
    "execute_scaling_test.option.performance_baseline.max_latency": "each level has its own",
    "save_results.option.test_id": "it is made of the time",
    "save_results.report.json": "one of several that are written by default",
    "save_results.report.csv": "one of several that are written by default",
    "save_results.report.html_report": "one of several that are written by default",
}
"""Built options whose figure squall does not have as a default, with the reason."""

SCALING = "execute_scaling_test."
OF_A_LEVEL: dict[str, Callable[[ScalingLevel], float]] = {
    "option.scaling_test_matrix.connections": lambda level: level.connections,
    "option.scaling_test_matrix.duration": lambda level: level.duration_s * 1000,
    "option.scaling_test_matrix.expected_latency": lambda level: level.expected_latency,
    "option.performance_baseline.min_throughput": lambda level: level.throughput_min,
    "option.performance_baseline.max_resource_usage.memory": lambda level: level.memory_max,
    "option.performance_baseline.max_resource_usage.cpu": lambda level: level.cpu_max,
    "result.validation.latency_within_bounds": lambda level: level.expected_latency,
    "result.validation.throughput_adequate": lambda level: level.throughput_min,
    "result.validation.resources_efficient": lambda level: level.memory_max,
    "result.validation.system_stable": lambda _: STABILITY_MIN,
    "bound.latency_increase": lambda _: GROWTH_MAX,
}
"""Where the figures of the scaling test are, which the specification has as tables and formulas."""


def delivery_bound(metric: str) -> list[float]:
    """The limits of the full delivery test on a metric, by type where it has one."""
    overrides = {name: Override(of, "full") for name, of in delivery_settings(delivery_size("full")).items()}
    scenario = load_scenario({"target": "ws://a/"}, overrides=overrides).scenario
    found = [each for each in bounds_of(scenario) if each.metric.partition("{")[0] == metric]
    return [limit_of(each.threshold) for each in found]


def ordering_bound(metric: str) -> list[float]:
    """The limits of the four patterns on a metric."""
    return [
        limit_of(each["threshold"])
        for test in ORDERING_TESTS
        for each in ordering_thresholds(test)
        if each["metric"] == metric
    ]


def ack_bound(metric: str) -> list[float]:
    """The limits of the acknowledgement test on a metric."""
    thresholds = [each for part in ACK_PARTS for each in ack_thresholds(part, FaultInjection())]
    return [limit_of(each["threshold"]) for each in thresholds if each["metric"] == metric]


def limit_of(threshold: str) -> float:
    """The figure behind the sign."""
    return float(re.split(r"[<>=]+", threshold)[1])


DELIVERY, ORDERING, ACKS = (
    "execute_delivery_guarantee_test.",
    "execute_message_ordering_test.",
    "execute_acknowledgment_test.",
)
OF_TESTS: dict[str, Callable[[], list[Any]]] = {
    "delivery_test_config.option.concurrent_connections": lambda: [delivery_size("full").connections],
    "delivery_test_config.option.test_duration": lambda: [delivery_size("full").duration_s * 1000],
    "delivery_test_config.option.messages_per_connection": lambda: [
        delivery_size("full").messages_per_connection
    ],
    "delivery_test_config.option.message_types.type": lambda: [each.type for each in MESSAGE_TYPES],
    "delivery_test_config.option.message_types.priority": lambda: [
        f"{each.type} {each.priority}" for each in MESSAGE_TYPES
    ],
    "delivery_test_config.option.message_types.delivery_guarantee": lambda: [
        f"{each.type} {each.delivery_guarantee}" for each in MESSAGE_TYPES
    ],
    "delivery_test_config.option.message_types.max_latency": lambda: [
        f"{each.type} {each.max_latency} ms" for each in MESSAGE_TYPES
    ],
    f"{DELIVERY}option.connections": lambda: [delivery_size("full").connections],
    f"{DELIVERY}option.duration": lambda: [delivery_size("full").duration_s * 1000],
    f"{DELIVERY}option.messages_per_connection": lambda: [delivery_size("full").messages_per_connection],
    f"{DELIVERY}result.delivery_success_rate": lambda: delivery_bound("ws_delivery_success"),
    f"{DELIVERY}result.average_latency": lambda: delivery_bound("ws_response_time"),
    f"{DELIVERY}result.checksum_validation_success": lambda: delivery_bound("ws_checksum_success")[:1],
    f"{DELIVERY}result.sequence_order_correct": lambda: delivery_bound("ws_order_in_type")[:1],
    f"{DELIVERY}result.overall.total_messages_processed": lambda: delivery_bound("ws_msgs_delivered"),
    f"{DELIVERY}result.overall.system_throughput": lambda: delivery_bound("ws_system_throughput"),
    f"{DELIVERY}result.overall.duplicate_message_rate": lambda: delivery_bound("ws_duplicate_rate"),
    f"{DELIVERY}result.overall.out_of_order_rate": lambda: delivery_bound("ws_out_of_order_rate"),
    f"{ORDERING}option.scenario": lambda: [each.scenario for each in ORDERING_TESTS],
    f"{ORDERING}option.connections": lambda: [each.connections for each in ORDERING_TESTS],
    f"{ORDERING}option.messages_per_connection": lambda: [
        each.messages_per_connection for each in ORDERING_TESTS
    ],
    f"{ORDERING}option.send_pattern": lambda: [each.send_pattern for each in ORDERING_TESTS],
    f"{ORDERING}option.expected_ordering_accuracy": lambda: [
        each.expected_ordering_accuracy for each in ORDERING_TESTS
    ],
    f"{ORDERING}result.average_ordering_latency": lambda: ordering_bound("ws_ordering_latency")[:1],
    f"{ORDERING}result.sequence_gaps": lambda: [
        limit / test.offered
        for limit, test in zip(ordering_bound("ws_msgs_in_gaps"), ORDERING_TESTS, strict=True)
    ][:1],
    f"{ORDERING}result.validation.meets_ordering_requirement": lambda: ordering_bound("ws_ordering_accuracy"),
    f"{ORDERING}result.validation.low_latency_ordering": lambda: ordering_bound("ws_ordering_latency")[:1],
    f"{ORDERING}result.validation.minimal_gaps": lambda: [0.1, *ordering_bound("ws_msgs_in_gaps")[:1]],
    f"{ACKS}option.connections": lambda: [ack_size("full").connections],
    f"{ACKS}option.test_duration": lambda: [ack_size("full").duration_s * 1000],
    f"{ACKS}option.message_configuration.max_retry_attempts": lambda: [
        MessageConfiguration().max_retry_attempts
    ],
    f"{ACKS}result.acknowledgment_success_rate": lambda: ack_bound("ws_ack_success")[:1],
    f"{ACKS}result.average_acknowledgment_time": lambda: ack_bound("ws_ack_time"),
    f"{ACKS}result.retry_success_rate": lambda: ack_bound("ws_retry_success"),
    f"{ACKS}result.duplicate_delivery_rate": lambda: ack_bound("ws_duplicate_rate"),
    f"{ACKS}result.network_fault_recovery_time": lambda: ack_bound("ws_retry_recovery"),
    f"{ACKS}result.server_delay_handling": lambda: ack_bound("ws_server_delay_handling"),
    f"{ACKS}result.client_timeout_handling": lambda: ack_bound("ws_client_timeout_handling")[:1],
}
"""Where the figures of the delivery, ordering and acknowledgement tests are, in the specification's units."""

with (ROOT / "docs" / "reference" / "spec-map.csv").open(newline="") as file:
    ROWS = list(csv.DictReader(file))
BUILT = [row for row in ROWS if row["name"] != PLANNED]
IDS = [row["id"] for row in BUILT]


def attribute(path: str) -> tuple[Any, str, Any]:
    """The owner, the last name and the thing at a dotted path, whose module is the longest part that imports."""
    parts = path.split(".")
    for length in range(len(parts) - 1, 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        owner = found
        for part in parts[length:-1]:
            owner = getattr(owner, part)
        return owner, parts[-1], member(owner, parts[-1])
    raise AssertionError(f"{path} does not import")


def member(owner: Any, name: str) -> Any:
    """An attribute; of a pydantic model a field."""
    if isinstance(owner, type) and issubclass(owner, BaseModel) and name in owner.model_fields:
        return owner.model_fields[name]
    return getattr(owner, name)


def defaults(name: str) -> Any:
    """The default of the option that is named; None for what has none, and for what is no option."""
    if name.startswith("readiness: "):
        return None
    if name.startswith("scenario: "):
        info = next(each.info for each in settings() if ".".join(each.path) == dotted(name))
        return plain(info.get_default(call_default_factory=True))
    path, _, parameter = name.rstrip(")").partition("(")
    owner, last, thing = attribute(path)
    if parameter:
        return plain(inspect.signature(thing).parameters[parameter].default)
    if isinstance(owner, type) and issubclass(owner, BaseModel):
        return plain(owner.model_fields[last].default)
    if inspect.isclass(owner):
        return plain(inspect.signature(owner).parameters[last].default)
    return None


def dotted(name: str) -> str:
    """The path of a setting as the settings' own paths are joined."""
    return name.removeprefix("scenario: ").replace("[]", ".[]")


def plain(default: Any) -> Any:
    """A shape stands for its kind; a tuple for the text that the table has."""
    if isinstance(default, BaseModel):
        return getattr(default, "kind", None)
    return ", ".join(str(each) for each in default) if isinstance(default, tuple) else default


@cache
def bounds() -> dict[str, tuple[str, float]]:
    """Sign and limit of each bound of the set `readiness`."""
    found = {requirement.name: (requirement.sign, requirement.limit) for requirement in READINESS}
    made = {ruling.judgement.name: ruling.judgement.bound for ruling in judge_readiness(Totals([], []))}
    sign, limit = made[NOTHING_LEFT].split()[:2]
    return found | {NOTHING_LEFT: (sign, float(limit))}


def asked_default(value: str) -> float | str:
    """The specification's default in squall's unit: seconds, messages per second, numbers, text without quotes."""
    if interval := re.fullmatch(r"(\d+) ms between messages of one connection.*", value):
        return 1000 / float(interval[1])
    if number := re.fullmatch(r"(?:> )?(\d+) (ms|connections)", value):
        return float(number[1]) / (1000 if number[2] == "ms" else 1)
    if share := re.fullmatch(r"(0\.\d+) (?:per check|\(ratio\))", value):
        return float(share[1])
    if value in ("true", "false"):
        return value == "true"
    return value.strip("'").removesuffix(" bytes")


def asked_bound(value: str) -> tuple[str, float]:
    """The specification's bound as the set states it: shares of the planned level, ratios, milliseconds."""
    if value == "== true":  # the clean-up succeeded: nothing is left
        return "==", 0.0
    sign, number, *unit = value.split()
    limit = float(number)
    if unit == ["%"]:
        return sign, round(limit / 100, 6)
    if unit == ["connections"] and limit:
        return (">=" if sign == "==" else sign), limit / LEVEL  # no call goes above the level
    return sign, limit


def is_of_a_level(row: dict[str, str]) -> bool:
    """Whether a row's figure depends on the level of the scaling test."""
    return row["id"].startswith(SCALING) and row["id"].removeprefix(SCALING) in OF_A_LEVEL


def asked_of_levels(value: str) -> list[float]:
    """What the specification says of each of the five levels: five figures, one for all, or a formula."""
    text = re.sub(r"[a-zA-Z]+/s|\b(?:ms|by level|per level|memory)\b|[<>=]+|connections$", "", value).strip()
    if "," in text:
        return [float(each) for each in text.split(",")]
    if "connections" not in text:
        return [float(text)] * len(LEVELS)
    return [
        round(eval(text, {"__builtins__": {}}, {"connections": level.connections}), 9) for level in LEVELS
    ]


def traffic_of(scenario: Scenario) -> tuple[float, list[int], list[str]]:
    """What the one population sends: rate, sizes, names of the types."""
    (population,) = scenario.populations
    traffic = population.traffic
    return traffic.rate, [each.size for each in traffic.payload], [each.name for each in traffic.types]


def test_every_row_of_the_specification_has_a_line_of_its_own() -> None:
    ids = [row["id"] for row in ROWS]
    assert list(ROWS[0]) == ["id", "line", "value", "name", "test", "part"]
    assert len(ids) == 459
    assert len(set(ids)) == len(ids)
    assert {row["part"] for row in ROWS} == PARTS
    lines = [int(row["line"]) for row in ROWS]
    assert lines == sorted(lines)


def test_what_is_planned_has_neither_name_nor_test() -> None:
    halves = [row["id"] for row in ROWS if (row["name"] == PLANNED) != (row["test"] == PLANNED)]
    assert halves == []


def test_no_row_has_a_path_of_a_machine() -> None:
    text = (ROOT / "docs" / "reference" / "spec-map.csv").read_text()
    assert re.findall(r"(?<![\w.])/(?:home|root|tmp|work)\b", text) == []


@pytest.mark.parametrize("row", BUILT, ids=IDS)
def test_name_is_there(row: dict[str, str]) -> None:
    for name in row["name"].split("; "):
        if name.startswith("readiness: "):
            assert name.removeprefix("readiness: ") in bounds()
        elif name.startswith("scenario: "):
            assert dotted(name) in {".".join(each.path) for each in settings()}
        elif "/" in name:
            assert (ROOT / name).is_file()
        else:
            path, _, parameter = name.rstrip(")").partition("(")
            _, _, thing = attribute(path)
            assert not parameter or parameter in inspect.signature(thing).parameters


@pytest.mark.parametrize("row", BUILT, ids=IDS)
def test_test_is_there(row: dict[str, str]) -> None:
    for test in row["test"].split("; "):
        path, _, function = test.partition("::")
        tree = ast.parse((ROOT / path).read_text())
        assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(
    "row",
    [
        row
        for row in BUILT
        if row["value"] and row["id"] not in {*NO_DEFAULT, *OF_TESTS} and not is_of_a_level(row)
    ],
    ids=lambda row: row["id"],
)
def test_figure_is_the_specifications(row: dict[str, str]) -> None:
    value, names = row["value"], row["name"].split("; ")
    if value[0] in "<>=" and ".option." not in row["id"]:
        stated = [
            bounds()[name.removeprefix("readiness: ")] for name in names if name.startswith("readiness: ")
        ]
        assert stated == [asked_bound(value)]
    else:
        assert asked_default(value) in [defaults(name) for name in names]


@pytest.mark.parametrize(
    "row", [row for row in BUILT if row["value"] and is_of_a_level(row)], ids=lambda row: row["id"]
)
def test_figure_of_the_scaling_test_is_the_specifications(row: dict[str, str]) -> None:
    figure = OF_A_LEVEL[row["id"].removeprefix(SCALING)]
    assert [round(figure(level), 9) for level in LEVELS] == asked_of_levels(row["value"])


@pytest.mark.parametrize("row", [row for row in BUILT if row["id"] in OF_TESTS], ids=lambda row: row["id"])
def test_figure_of_a_delivery_test_is_the_specifications(row: dict[str, str]) -> None:
    found = OF_TESTS[row["id"]]()
    if isinstance(found[0], str):
        assert ", ".join(found) == row["value"]
    else:
        asked = [float(each) for each in re.findall(r"(?<![\w.])\d+(?:\.\d+)?", row["value"])]
        assert [round(each, 6) for each in found] == asked


def test_every_bound_of_the_set_is_one_that_the_specification_asks_for() -> None:
    named = {name.removeprefix("readiness: ") for row in BUILT for name in row["name"].split("; ")}
    assert bounds().keys() - named == set()


def test_an_exception_is_needed() -> None:
    built = {row["id"]: row for row in BUILT if row["value"]}
    assert built.keys() >= NO_DEFAULT.keys()
    for each in NO_DEFAULT:
        names = built[each]["name"].split("; ")
        assert asked_default(built[each]["value"]) not in [defaults(name) for name in names]


def test_a_message_pattern_becomes_the_traffic() -> None:
    pattern = MessagePattern(
        frequency="30/min", payload_variation=(100, "1KiB"), message_types=("heartbeat", "data_update")
    )
    tester = LoadTester("ws://a/", message_pattern=pattern)
    assert traffic_of(tester.scenario) == (0.5, [100, 1024], ["heartbeat", "data_update"])


def test_the_types_of_a_pattern_may_have_weights() -> None:
    tester = LoadTester(
        "ws://a/", message_pattern=MessagePattern(message_types={"heartbeat": 3, "data_update": 1})
    )
    types = tester.scenario.populations[0].traffic.types
    assert [(each.name, each.weight) for each in types] == [("heartbeat", 3), ("data_update", 1)]


def test_a_configuration_says_what_is_sent_where_no_pattern_does() -> None:
    assert sent_in_the_hold(LoadTestConfig()) == (1, [100, 1024, 4096, 8192])
    assert sent_in_the_hold(LoadTestConfig(message_frequency=4, payload_sizes=("2KiB", 70))) == (
        4,
        [2048, 70],
    )


def sent_in_the_hold(config: LoadTestConfig) -> tuple[float, list[int]]:
    """Rate and sizes of the first sustained load that names no pattern; before it nothing is sent."""
    tester = LoadTester("ws://a/", config=config)
    assert traffic_of(tester.scenario)[0] == 0
    traffic = tester._traffic_from(None)
    assert traffic is not None
    return traffic_of(traffic)[:2]
