"""From what a scenario asks to watch to the samplers: the generator and the host always, then the target's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from squall.sampling.base import Sampler
from squall.sampling.command import CommandSampler
from squall.sampling.generator import GeneratorSampler
from squall.sampling.host import HostSampler
from squall.sampling.pids import PidSampler
from squall.sampling.ports import PortSampler
from squall.sampling.prometheus import PrometheusSampler
from squall.scenario.watch import Watch, WatchedSource, source_names

__all__ = ["make_samplers", "make_target_samplers"]


def make_samplers(
    watch: Watch, workers: Callable[[], Sequence[int]], ports: Sequence[int], *, here: bool
) -> list[Sampler]:
    """The samplers of a run; each is to be closed.

    Args:
        watch: what is watched.
        workers: asked for the numbers of squall's own processes beside this one.
        ports: those of the target.
        here: whether all of it is on this machine.
    """
    own: list[Sampler] = [GeneratorSampler(workers, ports, here=here), HostSampler()]
    return own + make_target_samplers(watch)


def make_target_samplers(watch: Watch) -> list[Sampler]:
    """Those of the target alone; each is to be closed."""
    return [
        _sampler(name, source, watch) for name, source in zip(source_names(watch), watch.target, strict=True)
    ]


def _sampler(name: str, source: WatchedSource, watch: Watch) -> Sampler:
    if source.pid is not None:
        return PidSampler(name, source.pid)
    if source.port is not None:
        return PortSampler(name, source.port)
    if source.command is not None:
        return CommandSampler(name, source.command.get_secret_value(), interval_s=watch.interval)
    return PrometheusSampler(
        name,
        str(source.prometheus),
        headers={key: value.get_secret_value() for key, value in source.headers.items()},
        metrics=source.metrics,
        timeout_s=watch.timeout,
    )
