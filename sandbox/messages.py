"""What crosses the boundary between orchestrator and worker: JSON lines, and nothing else.

The orchestrator sends one job per line (a :class:`ProbeJob`, :class:`RankJob` or
:class:`TrainJob`); the worker answers with events, one per line, the last of which is the job's
result or a :class:`Failure`.  Trained policies are ``safetensors`` files in the job's folder.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat

MARK = ">"
"""Stands before a line that a job says, so that it cannot pass for the worker's own word."""
MAX_LINE = 4 * 2**20
MAX_SAID = 64 * 2**20
"""Bytes that a job may say in one line, and in all."""
LONGEST_TEXT = 2000
"""Characters of a message; what is longer is cut."""
LONGEST_COMPONENT_NAME = 60
MOST_COMPONENTS = 50
"""As many as the reward language allows."""
MOST_FINDINGS = 200
MOST_CHECKPOINTS = 1000
MOST_EPISODES = 10_000


def one_line(text: str) -> str:
    """``text`` as one line of limited length, so that it can pass for no line of anybody else."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_TEXT else line[: LONGEST_TEXT - 1] + "…"


Text = Annotated[str, AfterValidator(one_line)]
Count = Annotated[int, Field(ge=0, le=2**53)]
"""No larger than what JSON, a database's integer and a plot keep exactly."""
Seconds = Annotated[FiniteFloat, Field(ge=0)]
ComponentName = Annotated[
    str, Field(pattern=rf"^[A-Za-z_][A-Za-z0-9_]{{0,{LONGEST_COMPONENT_NAME - 1}}}$")
]
"""As the reward language has them: they stand in prompts and figures."""


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
    own: bool = False
    """Whether they are the task's own, which may read its private variables."""
    seed: int = 0
    time_limit: float = 120.0
    """Seconds of wall-clock for the whole job."""
    memory_limit: int = 4 * 2**30
    """Bytes of private memory."""


class Member(Message):
    """One policy that is trained: a reward program with a seed."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,60}$")
    """Unique in its job; files are named after it."""
    program: str
    constants: dict[str, FiniteFloat] = {}
    """Overrides of the program's tunable constants."""
    seed: int = Field(ge=0)
    own: bool = False
    """Whether the program is the task's own, which may read its private variables."""


class TrainJob(Message):
    """Train policies, all in one batched simulation.

    A training may be cut into legs: a job trains up to ``until`` environment steps and, with
    ``keep``, leaves ``NAME.state.safetensors`` in its folder; a job that finds such a file there
    goes on from it, and ends as if there had been no cut.
    """

    kind: Literal["train"] = "train"
    task: str
    members: list[Member] = Field(min_length=1)
    folder: str
    steps: int = Field(ge=1)
    """The whole training's environment steps for each member."""
    until: int | None = None
    """Where this leg ends; at ``steps`` if None."""
    keep: bool = False
    """Whether another leg will follow."""
    trainer: Literal["population", "sb3"] = "population"
    algorithm: Literal["ppo", "sac", "td3"] = "ppo"
    """Of stable-baselines3; the population trainer knows PPO alone."""
    parameters: dict[str, int | float | bool | str | list[int]] = {}
    """Of stable-baselines3's algorithm, by its own names, in place of the task's."""
    checkpoints: int = Field(default=10, ge=1)
    threads: int = Field(default=1, ge=1)
    device: str = "cpu"
    """cpu, cuda, cuda:K, or warp-cpu (the GPU's simulator on the processor, for tests)."""
    environments: int | None = Field(default=None, ge=1)
    """Of each member, the task's if None; minibatches grow in proportion."""
    time_limit: float = 3600.0
    memory_limit: int = 4 * 2**30


class RankJob(Message):
    """Compute what programs would have paid for recorded episodes.

    The episodes are in ``episodes.safetensors`` in the job's folder: a tensor for each public
    variable and ``action``, ``(M,)`` or ``(M, d)``, all control steps of one episode after those of
    the one before, and ``#lengths``, ``(E,)``.
    """

    kind: Literal["rank"] = "rank"
    task: str
    programs: list[str]
    folder: str
    time_limit: float = 120.0
    memory_limit: int = 4 * 2**30


AnyJob = ProbeJob | RankJob | TrainJob
Job = Annotated[AnyJob, Field(discriminator="kind")]


# --- events, worker to orchestrator ----------------------------------------------------------


class ComponentStatistics(Message):
    """One reward component over the environment steps since the checkpoint before."""

    mean: FiniteFloat
    min: FiniteFloat
    max: FiniteFloat
    std: FiniteFloat
    share: FiniteFloat
    """Mean absolute value over the sum of all components' mean absolute values, in [0, 1]."""


Components = Annotated[dict[ComponentName, ComponentStatistics], Field(max_length=MOST_COMPONENTS)]


class Checkpoint(Message):
    """Training statistics since the checkpoint before; None where no episode ended."""

    kind: Literal["checkpoint"] = "checkpoint"
    member: str = ""
    """Whose training this is."""
    step: Count
    """Environment steps so far."""
    seconds: Seconds
    """Wall-clock since training began."""
    episodes: Count
    """Episodes that ended since the checkpoint before."""
    episode_return: FiniteFloat | None
    """Mean undiscounted sum of the candidate's reward over those episodes."""
    episode_length: FiniteFloat | None
    fitness: FiniteFloat | None
    """Mean fitness of those episodes (the exploring policy's, so a little pessimistic)."""
    success: FiniteFloat | None
    """Share of those episodes that succeeded; None where the task defines no success."""
    noise: FiniteFloat | None = None
    """Mean standard deviation of the noise on the actions; None where a policy explores otherwise.
    """
    components: Components


class TrainingReport(Message):
    """What training gave back."""

    seed: Count
    steps: Count
    seconds: Seconds
    environments: Count
    trainer: Text
    note: Text = ""
    """What the reader should know: environments halved for want of memory, say."""
    checkpoints: Annotated[list[Checkpoint], Field(max_length=MOST_CHECKPOINTS)]
    peak_memory: Count = 0
    """Bytes that the last leg's process held at most, its other members' included; 0 if unknown."""


class Failure(Message):
    """The end of a job, or of one of its members, without a result."""

    kind: Literal["failed"] = "failed"
    reason: Literal["raised", "non-finite", "memory", "time", "killed", "disk", "protocol"]
    message: Text


class MemberResult(Message):
    """What became of one member at the end of a leg."""

    member: str
    report: TrainingReport | None = None
    """Checkpoints since the training's beginning; None where the member failed."""
    failure: Failure | None = None


class TrainResult(Message):
    """The policy of a member that did not fail is ``NAME.safetensors`` in the job's folder."""

    kind: Literal["trained"] = "trained"
    members: list[MemberResult]
    peak_memory: Count = 0
    """Bytes that the job's process held at most, what it shares with the worker included."""


class ProbeFinding(Message):
    """Something the probe saw: an ``error`` refuses the program, a ``warning`` is passed on."""

    level: Literal["error", "warning"]
    code: Annotated[str, Field(pattern=r"^[a-z-]{1,40}$")]
    """non-finite, wrong-shape, raised, nondeterministic, row-dependent, too-slow, constant-total,
    constant-component, dominating-component, unused-argument, …"""
    message: Text
    line: Count | None = None
    column: Count | None = None


class ProgramProbe(Message):
    """The probe's verdict on one program."""

    findings: Annotated[list[ProbeFinding], Field(max_length=MOST_FINDINGS)]
    microseconds_per_step: FiniteFloat | None = None
    """Cost of one call divided by the environments in it."""
    components: Components = {}


class ProbeResult(Message):
    kind: Literal["probed"] = "probed"
    programs: list[ProgramProbe]


class ProgramReturns(Message):
    """What one program pays for each episode; without returns where it failed."""

    returns: Annotated[list[FiniteFloat], Field(max_length=MOST_EPISODES)] = []
    """Discounted by the task's discount: what training would maximise."""
    components: Annotated[
        dict[ComponentName, Annotated[list[FiniteFloat], Field(max_length=MOST_EPISODES)]],
        Field(max_length=MOST_COMPONENTS),
    ] = {}
    """The same sum of each component."""
    failure: Text = ""


class RankResult(Message):
    kind: Literal["ranked"] = "ranked"
    programs: list[ProgramReturns]


AnyResult = TrainResult | ProbeResult | RankResult
Outcome = AnyResult | Failure
Event = Annotated[Checkpoint | Outcome, Field(discriminator="kind")]
