"""What crosses the boundary between orchestrator and worker: JSON lines, and nothing else.

The orchestrator sends one :class:`ProbeJob` or :class:`TrainJob` per line; the worker answers
with events, one per line, the last of which is a :class:`ProbeResult`, :class:`TrainResult` or
:class:`Failure`.  A trained policy is a ``safetensors`` file in the job's writable folder.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat


class Message(BaseModel):
    """Unknown fields are refused: a worker cannot smuggle anything past the schema."""

    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="null")


# --- jobs, orchestrator to worker ------------------------------------------------------------


class ProbeJob(Message):
    """Run each program on real states of random episodes and judge its values."""

    kind: Literal["probe"] = "probe"
    task: str
    """Absolute path of the task folder."""
    programs: list[str]
    folder: str
    """The one folder this job may write to."""
    seed: int = 0
    time_limit: float = 120.0
    """Seconds of wall-clock for the whole job."""
    memory_limit: int = 4 * 2**30
    """Bytes of private memory."""


class TrainJob(Message):
    """Train one policy with one reward program."""

    kind: Literal["train"] = "train"
    task: str
    program: str
    constants: dict[str, float] = {}
    """Overrides of the program's tunable constants."""
    folder: str
    seed: int
    steps: int
    checkpoints: int = 10
    threads: int = 1
    time_limit: float = 3600.0
    memory_limit: int = 4 * 2**30


Job = Annotated[ProbeJob | TrainJob, Field(discriminator="kind")]


# --- events, worker to orchestrator ----------------------------------------------------------


class ComponentStatistics(Message):
    """One reward component over the environment steps since the checkpoint before."""

    mean: FiniteFloat
    min: FiniteFloat
    max: FiniteFloat
    std: FiniteFloat
    share: FiniteFloat
    """Mean absolute value over the sum of all components' mean absolute values, in [0, 1]."""


class Checkpoint(Message):
    """Training statistics since the checkpoint before; None where no episode ended."""

    kind: Literal["checkpoint"] = "checkpoint"
    step: int
    """Environment steps so far."""
    seconds: FiniteFloat
    """Wall-clock since training began."""
    episodes: int
    """Episodes that ended since the checkpoint before."""
    episode_return: FiniteFloat | None
    """Mean undiscounted sum of the candidate's reward over those episodes."""
    episode_length: FiniteFloat | None
    fitness: FiniteFloat | None
    """Mean fitness of those episodes (the exploring policy's, so a little pessimistic)."""
    success: FiniteFloat | None
    """Share of those episodes that succeeded; None where the task defines no success."""
    components: dict[str, ComponentStatistics]


class TrainingReport(Message):
    """What training gave back."""

    seed: int
    steps: int
    seconds: FiniteFloat
    environments: int
    trainer: str
    checkpoints: list[Checkpoint]


class TrainResult(Message):
    kind: Literal["trained"] = "trained"
    report: TrainingReport
    policy: Literal["policy.safetensors"] = "policy.safetensors"


class ProbeFinding(Message):
    """Something the probe saw: an ``error`` refuses the program, a ``warning`` is passed on."""

    level: Literal["error", "warning"]
    code: str
    """non-finite, wrong-shape, raised, nondeterministic, row-dependent, too-slow, constant-total,
    constant-component, dominating-component, unused-argument, …"""
    message: str
    line: int | None = None
    column: int | None = None


class ProgramProbe(Message):
    """The probe's verdict on one program."""

    findings: list[ProbeFinding]
    microseconds_per_step: FiniteFloat | None = None
    """Cost of one call divided by the environments in it."""
    components: dict[str, ComponentStatistics] = {}


class ProbeResult(Message):
    kind: Literal["probed"] = "probed"
    programs: list[ProgramProbe]


class Failure(Message):
    """The job's end without a result."""

    kind: Literal["failed"] = "failed"
    reason: Literal["raised", "non-finite", "memory", "time", "killed", "disk", "protocol"]
    message: str


Event = Annotated[
    Checkpoint | TrainResult | ProbeResult | Failure,
    Field(discriminator="kind"),
]
