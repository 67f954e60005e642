"""The prompts of a search: jinja2 templates filled in with what a model may know of a task.

A model is given the description, the public variables with their units and ranges, and what
fitness measures in words.  It is never given code of the task: no fitness, no expert reward.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reward_synth.feedback.templates import render
from reward_synth.llm import ChatMessage, extract_program
from reward_synth.simulation import task_spec
from reward_synth.task import Full, Task
from sandbox.messages import ProbeFinding

if TYPE_CHECKING:
    from reward_synth.simulation.statistics import VariableStatistics

ACTION_DOC = "the policy's commands to the actuators, as applied; 0 is the middle of their range"
NO_DOC = "the task does not say when."
ENVIRONMENT_ENDS = "when the environment says so."
NO_ANSWER = "(an empty answer)"
LONGEST_LINE = 100
MOST_ENTRIES = 32
"""Entries of an action that a prompt describes."""
LONGEST_ANSWER = 20_000
"""Characters of an answer that go back to the model; several times what a good one has."""


def initial_messages(
    task: Task,
    sizes: Mapping[str, int | None],
    statistics: Mapping[str, "VariableStatistics"] | None = None,
    *,
    steps: int | None = None,
    algorithm: str = "ppo",
    folder: Path | None = None,
) -> list[ChatMessage]:
    """The reward language and the task: the start of every conversation about ``task``.

    ``sizes`` gives the entries of each variable and of ``action`` (None for ``(N,)``);
    ``statistics``, where there are any, the ranges under random actions; ``steps`` are the
    environment steps of a training (the task's own if None); ``folder`` holds the templates
    ``eureka/*.md.j2`` (the built-in ones if None).
    """
    continuous = task_spec(task).action_space.kind == "continuous"
    system = render(
        "eureka/system.md.j2",
        folder,
        **language_values(),
        measured=task.fitness is not None,
        algorithm=algorithm.upper(),
        continuous=continuous,
    )
    steps = steps or task.training_steps
    control_step = task_spec(task).control_step
    user = render(
        "eureka/task.md.j2",
        folder,
        description=one_line(task.description),
        fitness_doc=one_line(task.fitness_doc).rstrip("."),
        success_doc=one_line(task.success_doc).rstrip("."),
        ends=early_end(task),
        control_step=short(control_step),
        episode_steps=task.episode_steps,
        episode_seconds=short(task.episode_steps * control_step),
        algorithm=algorithm.upper(),
        steps=f"{steps:,}",
        episodes=f"{math.ceil(steps / task.episode_steps):,}",
        discount=task.ppo.discount,
        noise=short(math.exp(task.ppo.initial_log_std))
        if algorithm == "ppo" and continuous
        else None,
        horizon=short(control_step / (1.0 - task.ppo.discount)),
        ranges=bool(statistics),
        variables=variable_table(task, sizes, statistics or {}),
    )
    return [message("system", system), message("user", user)]


def language_values() -> dict[str, Any]:
    """What ``eureka/language.md.j2`` says of the reward language."""
    from reward_synth.reward import HELPERS, XP_FUNCTIONS
    from reward_synth.reward.shaping import SIGMOIDS

    return {"functions": list(XP_FUNCTIONS), "helpers": HELPERS, "sigmoids": list(SIGMOIDS)}


def improve_messages(
    initial: Sequence[ChatMessage],
    completion_text: str,
    reflection: str,
    *,
    folder: Path | None = None,
) -> list[ChatMessage]:
    """The task, the last best answer and the reflection on its training, as in Eureka: nothing
    else is remembered, so prompts stay short."""
    asked = render("eureka/improve.md.j2", folder, reflection=reflection.strip())
    return [*initial, message("assistant", bounded(completion_text)), message("user", asked)]


def preceded(messages: Sequence[ChatMessage], text: str) -> list[ChatMessage]:
    """A conversation whose last message begins with ``text``."""
    *before, asked = messages
    return [*before, message("user", f"{text.strip()}\n\n{asked.content}")]


def repair_messages(
    messages: Sequence[ChatMessage],
    completion_text: str,
    findings: Sequence[ProbeFinding],
    *,
    folder: Path | None = None,
) -> list[ChatMessage]:
    """The conversation that led to a refused answer, the answer, and why it was refused.

    Lines are quoted, since models count them badly.
    """
    lines = extract_program(completion_text).splitlines()
    asked = render(
        "eureka/repair.md.j2",
        folder,
        findings=[
            {
                "level": finding.level,
                "message": one_line(finding.message),
                "place": place(finding),
                "line": quote(lines, finding.line),
            }
            for finding in findings
        ],
    )
    return [*messages, message("assistant", bounded(completion_text)), message("user", asked)]


def bounded(answer: str) -> str:
    """An answer as it goes back to the model: of one without end the program, else the start."""
    if len(answer) <= LONGEST_ANSWER:
        return answer
    program = extract_program(answer)
    if 0 < len(program) <= LONGEST_ANSWER:
        return f"```python\n{program}```"
    return answer[:LONGEST_ANSWER] + "…"


def message(role: str, content: str) -> ChatMessage:
    """A message of the chat; providers refuse empty ones."""
    return ChatMessage.model_validate({"role": role, "content": content.strip() or NO_ANSWER})


def early_end(task: Task) -> str:
    """What ends an episode early, in the words of the task's author: the docstring's first
    paragraph of ``terminated``."""
    if task.environment is not None:
        return ENVIRONMENT_ENDS
    doc = (task.terminated.__doc__ or "").strip().split("\n\n")[0]
    return one_line(doc) or NO_DOC


def variable_table(
    task: Task,
    sizes: Mapping[str, int | None],
    statistics: Mapping[str, "VariableStatistics"],
) -> list[dict[str, str | None]]:
    """A row for each public variable, in the task's order, and one for the action."""
    rows: list[dict[str, str | None]] = []
    for name, variable in task.variables.items():
        if variable.public:
            seen = statistics.get(name)
            rows.append(
                {
                    "name": name,
                    "shape": shape(sizes[name]),
                    "unit": one_line(variable.unit),
                    "doc": one_line(variable.doc),
                    "low": None if seen is None else short(seen.low),
                    "high": None if seen is None else short(seen.high),
                    "start": start(seen) if seen is not None and sizes[name] is None else None,
                }
            )
    action = {"name": "action", "shape": shape(sizes["action"]), "unit": action_unit(task)}
    rows.append({**action, "doc": action_doc(task), "low": None, "high": None, "start": None})
    return rows


def action_unit(task: Task) -> str:
    """What an entry of an action is."""
    continuous = task_spec(task).action_space.kind == "continuous"
    return "within [-1, 1]" if continuous else "0 or 1"


def action_doc(task: Task) -> str:
    """What the entries of an action mean, one by one where they are no plain commands."""
    spec = task_spec(task)
    if task.model is not None and task.actions == Full():
        return ACTION_DOC
    chosen = {
        "continuous": "the policy's actions, as applied",
        "discrete": "the policy's choice: 1 for the chosen option, 0 for the others",
        "binary": "the policy's switches",
    }[spec.action_space.kind]
    entries = [f"[:, {k}] {e.name}: {e.meaning}" for k, e in enumerate(spec.action_entries)]
    if len(entries) > MOST_ENTRIES:
        entries = [*entries[:MOST_ENTRIES], f"and {len(entries) - MOST_ENTRIES} more"]
    return one_line(f"{chosen}; {'; '.join(entries)}")


def start(seen: "VariableStatistics") -> str:
    """Where a variable is when an episode begins."""
    low, high = (short(value) for value in seen.start)
    return low if low == high else f"{low} to {high}"


def shape(size: int | None) -> str:
    return "(N,)" if size is None else f"(N, {size})"


def place(finding: ProbeFinding) -> str:
    """Where a finding is, counted from 1 in the program; empty where it is nowhere in it."""
    if finding.line is None:
        return ""
    column = "" if finding.column is None else f", column {finding.column}"
    return f"line {finding.line}{column}"


def quote(lines: Sequence[str], number: int | None) -> str:
    if number is None or not 1 <= number <= len(lines):
        return ""
    line = lines[number - 1].strip().replace("`", "'")
    return line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + "…"


def short(value: float) -> str:
    """Three significant digits; values that only rounding keeps from zero are zero."""
    return "0" if abs(value) < 1e-9 else f"{value:.3g}"


def one_line(text: str) -> str:
    return " ".join(text.split())
