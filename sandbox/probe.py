"""The probe: run reward programs on real states before anything is trained with them.

States come from episodes of random actions.  Every public variable, the action and their
``prev_`` values are collected once, and all programs are judged on the same rows.
"""

import ast
import gc
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from reward_synth.errors import UserError
from reward_synth.reward import RewardError, RewardProgram, parse
from reward_synth.simulation import open_simulator, task_spec
from reward_synth.simulation.episodes import not_finite, random_policy
from reward_synth.simulation.interface import Simulator
from reward_synth.simulation.rollout import on_host
from reward_synth.task import load_task
from sandbox.messages import ProbeFinding, ProbeJob, ProbeResult, ProgramProbe
from sandbox.statistics import summarise

ENVIRONMENTS = 16
STEPS = 64
CHECKED_ROWS = 32
TOO_SLOW_SECONDS = 0.02  # of one call on 16 rows: two hundred times an ordinary program
DOMINATING_SHARE = 0.99
LARGE_VALUE = 1e6
LARGEST_VALUE = 1e30  # policies learn in single precision, which ends at 3e38
RELATIVE_TOLERANCE = 1e-6

Arguments = dict[str, np.ndarray]
Reward = Callable[..., tuple[np.ndarray, dict[str, np.ndarray]]]


def collect_rows(simulator: Simulator, names: list[str], seed: int) -> Arguments:
    """Values of ``names`` over random episodes, ``(ENVIRONMENTS × STEPS,)`` rows each."""
    policy = random_policy(simulator, np.random.default_rng([seed, 1]))
    observation = simulator.reset(seed)
    kept: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for _ in range(STEPS):
        observation = simulator.step(policy(observation)).observation
        for name, value in simulator.reward_inputs(names).items():
            kept[name].append(np.array(on_host(value)))
    return {name: np.concatenate(values) for name, values in kept.items()}


def probe(job: ProbeJob) -> ProbeResult:
    """Judge every program of the job."""
    task = load_task(Path(job.task))
    sizes = task_spec(task).readable_by(own=job.own)
    simulator = open_simulator(task, ENVIRONMENTS)
    rows = collect_rows(simulator, [*sizes, *(f"prev_{name}" for name in sizes)], job.seed)
    simulator.close()
    fault = not_finite(task, rows)
    if fault is not None:
        raise UserError(fault)
    return ProbeResult(programs=[probe_program(source, sizes, rows) for source in job.programs])


def probe_program(source: str, sizes: Mapping[str, int | None], rows: Arguments) -> ProgramProbe:
    """Judge one program on rows ``(M,)`` or ``(M, d)``."""
    try:
        program = parse(source, sizes)
        reward = program.compile("numpy")
        return judge(program, reward, {name: rows[name] for name in program.arguments})
    except RewardError as error:
        findings = [
            ProbeFinding(
                level="error",
                code="raised",
                message=f"{finding.message}; {finding.instead}".removesuffix("; "),
                line=finding.line,
                column=finding.column,
            )
            for finding in error.findings
        ]
        return ProgramProbe(
            findings=findings or [ProbeFinding(level="error", code="raised", message=str(error))]
        )
    except MemoryError:
        message = "the program ran out of memory on 1,024 states; build smaller arrays"
        return ProgramProbe(findings=[ProbeFinding(level="error", code="memory", message=message)])
    except Exception as error:
        message = f"the program raised {type(error).__name__}: {error}"
        return ProgramProbe(findings=[ProbeFinding(level="error", code="raised", message=message)])


def take(arguments: Arguments, index: Any) -> Arguments:
    return {name: value[index].copy() for name, value in arguments.items()}


def judge(program: RewardProgram, reward: Reward, arguments: Arguments) -> ProgramProbe:
    """The checks themselves, in the order in which one explains the next."""
    before = {name: value.copy() for name, value in arguments.items()}
    with np.errstate(all="ignore"):
        total, components = reward(**arguments)
        findings = finite_findings(total, components)
        seconds = seconds_per_call(reward, take(arguments, slice(0, 16)))
        if seconds > TOO_SLOW_SECONDS:
            message = f"one call on 16 states takes {seconds * 1e3:.0f} ms; use fewer operations"
            findings.append(ProbeFinding(level="error", code="too-slow", message=message))
        if not findings:
            findings = contract_findings(reward, arguments, before, total, components)
    microseconds = seconds / 16 * 1e6
    if any(finding.level == "error" for finding in findings):
        return ProgramProbe(findings=findings, microseconds_per_step=microseconds)
    statistics = summarise(components)
    findings += quality_findings(program, total, components)
    return ProgramProbe(
        findings=findings, microseconds_per_step=microseconds, components=statistics
    )


def finite_findings(total: np.ndarray, components: Mapping[str, np.ndarray]) -> list[ProbeFinding]:
    for name, value in [*components.items(), (None, total)]:
        bad = ~(np.abs(value) <= LARGEST_VALUE)
        if bad.any():
            what = "the total" if name is None else f"component '{name}'"
            kind = f"beyond {LARGEST_VALUE:.0e}" if np.isfinite(value).all() else "infinite"
            kind = "NaN" if np.isnan(value).any() else kind
            message = (
                f"{what} is {kind} on {bad.mean():.0%} of random states; guard divisions, roots "
                "and logarithms (xp.maximum(x, 1e-6)) and bound exponentials"
            )
            return [ProbeFinding(level="error", code="non-finite", message=message)]
    return []


def contract_findings(
    reward: Reward,
    arguments: Arguments,
    before: Arguments,
    total: np.ndarray,
    components: Mapping[str, np.ndarray],
) -> list[ProbeFinding]:
    """Purity, determinism and row independence."""

    def error(code: str, message: str) -> list[ProbeFinding]:
        return [ProbeFinding(level="error", code=code, message=message)]

    for name, value in before.items():
        if not np.array_equal(arguments[name], value, equal_nan=True):
            return error("changed-input", f"the program changed its input '{name}'")
    again, _ = reward(**take(arguments, slice(None)))
    if not np.array_equal(again, total):
        return error("nondeterministic", "the same states gave different rewards")
    if len(total) == 0:
        return []
    picked = np.linspace(0, len(total) - 1, CHECKED_ROWS).astype(int)
    alone = [reward(**take(arguments, slice(row, row + 1))) for row in picked]
    values = {"the total": ([one for one, _ in alone], total), **{
        f"component '{name}'": ([parts[name] for _, parts in alone], components[name])
        for name in components
    }}  # fmt: skip
    for what, (ones, batch) in values.items():
        rows = np.concatenate(ones)
        if not np.allclose(rows, batch[picked], rtol=RELATIVE_TOLERANCE, atol=1e-9):
            return error(
                "row-dependent",
                f"{what} of one state depends on the other states of the batch; reduce over "
                "axis=-1 only",
            )
    return []


def seconds_per_call(reward: Reward, arguments: Arguments, calls: int = 5) -> float:
    """Least time of one call, of the processor: a program is not slow because others compute.

    By this thread's clock, since a process with a limit of processor time has one that ticks, and
    without collections of garbage, which take the longer the more the process holds.
    """
    best = float("inf")
    collecting = gc.isenabled()
    gc.disable()
    try:
        for _ in range(calls):
            start = time.thread_time()
            reward(**arguments)
            best = min(best, time.thread_time() - start)
            if best > TOO_SLOW_SECONDS * 10:
                break
    finally:
        if collecting:
            gc.enable()
    return best


def quality_findings(
    program: RewardProgram, total: np.ndarray, components: Mapping[str, np.ndarray]
) -> list[ProbeFinding]:
    """What is allowed but rarely meant: told to whoever wrote the program."""

    def warning(code: str, message: str) -> ProbeFinding:
        return ProbeFinding(level="warning", code=code, message=message)

    findings = []
    if np.ptp(total) <= 1e-9 * max(1.0, float(np.abs(total).max())):
        message = f"the total is {total[0]:.4g} on all random states: nothing to learn from there"
        findings.append(warning("constant-total", message))
    if np.abs(total).max() > LARGE_VALUE:
        message = f"the total reaches {np.abs(total).max():.3g}; keep it near 1 per step"
        findings.append(warning("large-total", message))
    statistics = summarise(components)
    for name, value in components.items():
        if np.ptp(value) == 0 and len(components) > 1:
            message = f"component '{name}' is {value[0]:.4g} on all random states"
            findings.append(warning("constant-component", message))
        if len(components) > 1 and statistics[name].share > DOMINATING_SHARE:
            message = f"component '{name}' makes up {statistics[name].share:.1%} of the reward"
            findings.append(warning("dominating-component", message))
    for name in unused_arguments(program):
        findings.append(warning("unused-argument", f"argument '{name}' is never used"))
    return findings


def unused_arguments(program: RewardProgram) -> list[str]:
    """Arguments that the program's body never names."""
    used = {
        node.id
        for node in ast.walk(program.tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    return [name for name in program.arguments if name not in used]
