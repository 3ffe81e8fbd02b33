"""The charts of what was watched."""

from __future__ import annotations

from made_runs import S
from squall.charts.chart import Chart
from squall.metrics.history import History
from squall.record.resources import ResourceSample
from squall.reports.backdrop import backdrop
from squall.reports.machine_pictures import resources


def drawn(told: History) -> list[Chart]:
    return resources(told, backdrop(told))


def lines(charts: list[Chart]) -> list[tuple[str, list[str]]]:
    return [(chart.title, [line.name for line in chart.lines]) for chart in charts]


def test_shares_are_compared_and_absolute_figures_stand_by_role() -> None:
    told = History()
    for at_s in (5, 10):
        at_ns = at_s * S
        told.sampled(
            ResourceSample(at_ns=at_ns, source="host", role="host", cpu_share=0.5, memory_bytes=4_000_000_000)
        )
        told.sampled(ResourceSample(at_ns=at_ns, source="squall", role="generator", memory_bytes=50_000_000))
        told.sampled(
            ResourceSample(
                at_ns=at_ns, source="a", role="target", cpu_share=0.1, memory_bytes=9_000_000,
                tcp_states={"established": 3}, custom={"queue": 1.0},
            )
        )  # fmt: skip
    charts = drawn(told)
    assert lines(charts) == [
        ("Processor", ["a", "host"]),
        ("Memory: the target", ["a"]),
        ("Memory: the generator", ["squall"]),
        ("Memory: the host", ["host"]),
        ("Sockets by state: a", ["established"]),
        ("Figures of its own: a", ["queue"]),
    ]
    assert charts[0].lines[0].key == "a:cpu_share"
    assert all(max(line.y) < 10_000_000 for line in charts[1].lines), (
        "the host's gigabytes are not on its axis"
    )


def test_the_whole_of_each_node_comes_before_its_busiest_thread_and_the_cut_is_counted() -> None:
    told = History()
    for number in range(4):
        told.sampled(
            ResourceSample(
                at_ns=S, source=f"n{number}", role="target", cpu_share=number / 10, cpu_cores=number,
                cpu_process_max_cores=number / 2, cpu_thread_max_cores=number / 3,
            )
        )  # fmt: skip
    cores = next(chart for chart in drawn(told) if chart.title == "Cores in use: the target")
    assert [line.name for line in cores.lines] == [
        "n0: all", "n1: all", "n2: all", "n3: all", "n2: busiest process", "n3: busiest process",
    ]  # fmt: skip
    assert cores.note == "The busiest process and thread beside the whole. 6 more lines are not drawn."


def test_a_whole_without_parts_is_not_said_to_have_any() -> None:
    told = History()
    told.sampled(ResourceSample(at_ns=S, source="host", role="host", cpu_cores=1.2))
    (chart,) = drawn(told)
    assert (chart.note, [line.name for line in chart.lines]) == ("", ["host"])


def test_of_many_nodes_those_that_went_highest_are_drawn() -> None:
    told = History()
    for number in range(9):
        told.sampled(ResourceSample(at_ns=S, source=f"n{number}", role="target", cpu_share=number / 10))
    (chart,) = drawn(told)
    assert [line.name for line in chart.lines] == ["n3", "n4", "n5", "n6", "n7", "n8"]
    assert chart.note.endswith("3 more lines are not drawn.")


def test_states_and_figures_of_its_own_that_are_not_drawn_are_counted() -> None:
    told = History()
    custom = {f"f{number}": float(number) for number in range(7)}
    told.sampled(ResourceSample(at_ns=S, source="a", role="target", custom=custom))
    (chart,) = drawn(told)
    assert sorted(line.name for line in chart.lines) == ["f1", "f2", "f3", "f4", "f5", "f6"]
    assert chart.note == "1 more line is not drawn."


def test_what_was_not_measured_has_no_chart() -> None:
    told = History()
    told.sampled(ResourceSample(at_ns=S, source="a", role="target", problem="gone"))
    assert drawn(told) == []
