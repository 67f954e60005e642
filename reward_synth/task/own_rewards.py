"""The rewards that an environment brings along, as programs, where a task folder has none.

The environment's own reward is the expert one, its own success the sparse one.  Both are read from
variables of the task, which may be private: a candidate's program cannot read those.
"""

from typing import Literal, get_args

from reward_synth.task.bindings import Info, NativeReward
from reward_synth.task.contract import Task

OwnReward = Literal["expert", "sparse", "native"]
"""A task's own reward programs; ``native`` is the environment's reward."""
TASKS_OWN: tuple[str, ...] = get_args(OwnReward)
SUCCESS_KEYS = ("success", "is_success")
"""Of ``info``: what environments call their success."""


def brought_along(task: Task, which: OwnReward) -> str | None:
    """Source of the program that pays an environment's own reward or success; None where no
    variable of the task is bound to it."""
    for name, variable in task.variables.items():
        binding = variable.binding
        if which == "sparse":
            found = isinstance(binding, Info) and binding.key.split(".")[-1] in SUCCESS_KEYS
        else:
            found = isinstance(binding, NativeReward)
        if found:
            said = "The environment's own " + ("success." if which == "sparse" else "reward.")
            return (
                f'def compute_reward({name}):\n    """{said}"""\n'
                f'    return {name}, {{"{name}": {name}}}\n'
            )
    return None
