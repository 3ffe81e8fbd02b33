"""A plan in words: what would happen, how much of it, and what it is judged by. Pure; shows no secret."""

from __future__ import annotations

from squall.delivery.ledger import HELD_MAX, WINDOW
from squall.engine.preflight import ACCOUNT_BYTES, ARRIVAL_BYTES, MISSING_BYTES, memory_bytes
from squall.metrics.delivery_bounds import guarantee_bounds
from squall.profiles.base import connections_in_words, duration_in_words
from squall.runner.fault_windows import faults_in_words
from squall.runner.plan import Plan, PlannedPhase, sends_in, settle_s, split_of
from squall.runner.rules import LONGEST
from squall.runner.turnover import connects_hz, most_here, share_here
from squall.scenario.exchanges import shares_in_words
from squall.scenario.loader import Loaded
from squall.scenario.models import Population, Scenario, Traffic
from squall.scenario.redact import public_url, redacted_settings
from squall.units import format_count, format_rate, format_size

__all__ = ["plan_lines", "setting_lines"]


def plan_lines(plan: Plan) -> list[str]:
    """The plan, a line each, in the order in which a run goes."""
    scenario = plan.scenario
    return [
        f"run: {scenario.name}, seed {scenario.seed}",
        *_target_lines(scenario),
        _load_line(plan),
        *_reconnect_lines(scenario),
        *_phase_lines(plan),
        *faults_in_words(scenario),
        *(_population_line(each, scenario) + _staying(each) for each in scenario.populations),
        _traffic_line(plan),
        *_room_lines(plan),
        _memory_line(plan),
        *_judged_lines(scenario),
    ]


def setting_lines(loaded: Loaded) -> list[str]:
    """Every setting with its value in base units and where it came from; secrets masked."""
    return [
        f"{path} = {_shown(value)}  ({_source(path, loaded)})"
        for path, value in redacted_settings(loaded.scenario).items()
    ]


def _target_lines(scenario: Scenario) -> list[str]:
    target = scenario.target
    entries = [public_url(url) for url in target.url]
    lines = [f"target: {entries[0]}"]
    if len(entries) > 1:
        lines = [f"target: {len(entries)} entry points, {target.policy.replace('_', ' ')}"]
        lines += [f"  {entry}" for entry in entries]
    if target.source_addresses:
        lines.append(f"from: {', '.join(target.source_addresses)}, in turn")
    if not target.tls.verify:
        lines.append("certificates are NOT verified (target.tls.verify: false)")
    return lines


def _load_line(plan: Plan) -> str:
    scenario, by = plan.scenario, f"by {_workers(plan)}"
    peak = connections_in_words(plan.connections_peak)
    connects = connects_hz(scenario, plan.connections_peak)
    if scenario.load.arrivals is not None:
        most = format_count(most_here(scenario, plan.connections_peak))
        return f"load: new sessions at {format_rate(connects)}, which leads to {peak}, at most about {most}, {by}"
    coming = f", connects at {format_rate(float(f'{connects:.3g}'))} while they are held" if connects else ""
    return f"load: {peak} at the peak{coming}, {by}"


def _reconnect_lines(scenario: Scenario) -> list[str]:
    policy = scenario.load.reconnect
    if not policy.after_drop:
        return []
    pause = f"{duration_in_words(policy.backoff)}, doubling up to {duration_in_words(policy.backoff_max)}"
    drawn = "drawn below " if policy.jitter == "full" else ""
    tries = (
        "" if policy.attempts_max is None else f", at most {format_count(policy.attempts_max)} tries in a row"
    )
    rate = "" if policy.rate_max is None else f", at most {format_rate(policy.rate_max)} in all"
    return [f"reconnect: after each drop and failed connect, the pause {drawn}{pause}{tries}{rate}"]


def _staying(population: Population) -> str:
    """How long its sessions stay, where they do not stay with the level."""
    length, think = population.sessions.length, population.sessions.think_time
    if length is None:
        return ""
    stays = f"; each stays {duration_in_words(length.mean)}{_drawn(length.distribution)}"
    if not think.mean:
        return stays
    away = f"{duration_in_words(think.mean)}{_drawn(think.distribution)}"
    return f"{stays} and is away {away}: {share_here(population):.3g} of them are here"


def _drawn(distribution: str) -> str:
    return " on average (exponential)" if distribution == "exponential" else ""


def _workers(plan: Plan) -> str:
    return f"{plan.workers} worker process{'' if plan.workers == 1 else 'es'}"


def _phase_lines(plan: Plan) -> list[str]:
    if not plan.phases:
        return ["phases: one after another, as they are asked for"]
    lines = []
    at_s = 0.0
    for phase in plan.phases:
        lines.append(f"{_clock(at_s)} {phase.name}: {phase.profile.describe()}{_beside(plan, phase)}")
        at_s += phase.duration_s
    wait_s = plan.scenario.drain_s + plan.scenario.target.close_timeout
    lines.append(f"{_clock(at_s)} the last ones drain and close, at most {duration_in_words(wait_s)}")
    return lines


def _beside(plan: Plan, phase: PlannedPhase) -> str:
    parts = [_steered(phase)]
    if phase.kind == "ramp_up" and plan.scenario.load.arrivals is None:
        wait = duration_in_words(settle_s(plan.scenario.target))
        parts.append(f"; it lasts until all are held, at most {wait} longer")
    silent = [
        each.name for each in plan.scenario.populations if each.rate_hz > 0 and not sends_in(each, phase)
    ]
    if silent:
        parts.append(f"; no messages yet ({', '.join(silent)})")
    return "".join(parts)


def _steered(phase: PlannedPhase) -> str:
    """What slows an adaptive ramp, and what stops it."""
    rules = phase.rules
    if rules is None:
        return ""
    parts = [f"; judged each {duration_in_words(rules.interval_s)}"]
    for what, conditions in (("slower while", rules.slow_when), ("stops when", rules.stop_when)):
        if conditions:
            parts.append(f", {what} {' or '.join(each.text for each in conditions)}")
    longest_s = LONGEST * phase.duration_s if rules.longest_s is None else rules.longest_s
    return "".join([*parts, f", at the latest after {duration_in_words(longest_s)}"])


def _population_line(population: Population, scenario: Scenario) -> str:
    share = ""
    if len(scenario.populations) > 1:
        total = sum(each.weight for each in scenario.populations)
        share = f" ({population.weight}/{total} of the connections)"
    traffic = population.traffic
    exchange, words = population.exchange, population.exchange.words(traffic)
    opening = ""
    if population.opening:
        steps = len(population.opening)
        opening = f"; first an opening of {steps} step{'' if steps == 1 else 's'}"
    if not exchange.sends:
        return f"{population.name}{share}: {words}{opening}"
    names = [each.name for each in traffic.types]
    types = shares_in_words(list(zip(names, traffic.type_weights, strict=True)))
    count = ""
    if traffic.messages_per_session is not None:
        count = f", {format_count(traffic.messages_per_session)} messages a session"
    return f"{population.name}{share}: {exchange.kind}, {_pace(traffic)}, {words}; types: {types}{count}{opening}"


def _pace(traffic: Traffic) -> str:
    """When a message is due."""
    if traffic.pattern == "sequential":
        return f"the next on the reply, or after {duration_in_words(traffic.reply_timeout)}"
    if traffic.pattern == "burst":
        every = duration_in_words(traffic.burst_every)
        return f"{format_count(traffic.burst_size)} at once each {every} a connection ({traffic.arrival})"
    return f"{format_rate(traffic.mean_rate)} a connection ({traffic.arrival})"


def _traffic_line(plan: Plan) -> str:
    sending = [each for each in plan.scenario.populations if each.rate_hz > 0]
    if not sending:
        return "messages: none"
    sizes = [part.size for each in sending if each.exchange.enveloped for part in each.traffic.payload]
    smallest = f"; the smallest has {format_size(min(sizes))}" if sizes else ""
    on_reply = any(each.traffic.pattern == "sequential" for each in sending)
    at_least, about = ("at least ", "at least") if on_reply else ("", "about")
    in_all = ""
    if plan.phases:
        in_all = f", {about} {format_count(plan.messages_total)} in {duration_in_words(plan.duration_s)}"
    return f"messages: {at_least}{format_rate(plan.messages_peak_hz)} at the peak{in_all}{smallest}"


def _room_lines(plan: Plan) -> list[str]:
    """How far messages to rooms fan out, and what keeping account of that takes at most."""
    accounts = plan.demand.accounts
    if not accounts:
        return []
    scenario = plan.scenario
    counts = split_of(scenario).counts(plan.connections_peak)
    owed_hz = sum(
        count * share_here(each) * each.rate_hz * (each.exchange.members - 1)
        for count, each in zip(counts, scenario.populations, strict=True)
        if each.exchange.members > 1
    )
    never_full = [
        f"rooms: one of {format_count(each.exchange.members)} is never full with {connections_in_words(count)}"
        for count, each in zip(counts, scenario.populations, strict=True)
        if count < each.exchange.members
    ]
    return [
        *never_full,
        f"rooms: up to {format_rate(owed_hz)} are owed to members; {format_count(accounts)} accounts of a publisher"
        f" and a member take {format_size(accounts * ACCOUNT_BYTES)}, and at most"
        f" {format_size(plan.demand.missing_max * MISSING_BYTES)} more where messages are missing",
    ]


def _memory_line(plan: Plan) -> str:
    demand = plan.demand
    missing = ""
    if plan.messages_peak_hz and not demand.accounts:
        each = WINDOW * MISSING_BYTES + HELD_MAX * ARRIVAL_BYTES
        missing = (
            f", and {format_size(each)} a connection of which {format_count(WINDOW)} messages are missing"
        )
    return (
        f"memory: about {format_size(memory_bytes(demand, plan.workers))}; at most"
        f" {format_size(demand.send_buffer_total_max)} more where the target stops reading{missing}"
    )


def _judged_lines(scenario: Scenario) -> list[str]:
    delivery = scenario.delivery
    lines = []
    if delivery.integrity:
        lines.append(
            f"judged: integrity ({delivery.promise}; lost after {duration_in_words(scenario.drain_s)})"
        )
    lines += [f"judged: the threshold set {name}" for name in scenario.threshold_sets]
    for each in (*guarantee_bounds(scenario), *scenario.thresholds):
        extra = [] if each.required else ["not required"]
        if each.abort_on_fail:
            after = f" after {duration_in_words(each.delay_abort_eval)}" if each.delay_abort_eval else ""
            extra.append(f"ends the run when it fails{after}")
        aside = f" ({', '.join(extra)})" if extra else ""
        lines.append(f"judged: {each.metric} {each.threshold}{aside}")
    return lines or ["judged: nothing (delivery.integrity is off and there is no threshold)"]


def _clock(at_s: float) -> str:
    minutes, seconds = divmod(round(at_s), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def _source(path: str, loaded: Loaded) -> str:
    """Where a setting came from; of a list, where the first of its parts did."""
    if path in loaded.sources:
        return loaded.sources[path]
    inside = (source for each, source in loaded.sources.items() if each.startswith((f"{path}.", f"{path}[")))
    return next(inside, "default")


def _shown(value: object) -> str:
    return "none" if value is None else str(value)
