"""What is to be learned: the task contract and the loader of task folders."""

from reward_synth.task.contract import (
    Array,
    Binding,
    Derived,
    Episode,
    GymnasiumModel,
    JointPosition,
    JointVelocity,
    MjcfFile,
    PpoSettings,
    Sensor,
    Task,
    Variable,
)
from reward_synth.task.loader import Baseline, baselines, list_tasks, load_task, reward_source

__all__ = [
    "Array",
    "Baseline",
    "Binding",
    "Derived",
    "Episode",
    "GymnasiumModel",
    "JointPosition",
    "JointVelocity",
    "MjcfFile",
    "PpoSettings",
    "Sensor",
    "Task",
    "Variable",
    "baselines",
    "list_tasks",
    "load_task",
    "reward_source",
]
