"""The gate: what a program must pass before anything is trained with it.

The static check reads the program and never runs it; the probe runs it on real states, in a
sandbox worker.
"""

from collections.abc import Sequence

from reward_synth.evaluation.legs import ATTEMPTS_IF_KILLED
from reward_synth.evaluation.pool import Pool
from reward_synth.simulation import task_spec
from reward_synth.task import Task
from sandbox.messages import Failure, ProbeFinding, ProbeJob, ProbeResult, ProgramProbe

EMPTY = "the answer held no program; give one Python code block that defines compute_reward"
PROBE_SECONDS = 60.0


def errors(findings: Sequence[ProbeFinding]) -> list[ProbeFinding]:
    """Those findings that refuse a program."""
    return [finding for finding in findings if finding.level == "error"]


class Gate:
    """Judges programs for one task.

    Args:
        task: whose variables they read.
        pool: workers that run the probe.
        seed: of the probe's episodes.
        own: whether the programs are the task's own, which may read its private variables.
    """

    def __init__(self, task: Task, pool: Pool, seed: int = 0, *, own: bool = False) -> None:
        self.task = task
        self.pool = pool
        self.seed = seed
        self.own = own
        self.variables = task_spec(task).readable_by(own=own)

    def judge(self, sources: Sequence[str]) -> list[ProgramProbe]:
        """The verdict on each program, in order: static findings first, then the probe's."""
        static = [self.static(source) for source in sources]
        sound = [index for index, findings in enumerate(static) if not findings]
        probes = self.probe([sources[index] for index in sound])
        verdicts = [ProgramProbe(findings=findings) for findings in static]
        for index, verdict in zip(sound, probes, strict=True):
            verdicts[index] = verdict
        return verdicts

    def static(self, source: str) -> list[ProbeFinding]:
        """What the reward language says of ``source``."""
        return static_findings(source, self.variables)

    def probe(self, sources: Sequence[str]) -> list[ProgramProbe]:
        """Run ``sources`` on real states; where a worker does not survive that, one by one."""
        if not sources:
            return []
        outcome = self.run_probe(sources)
        if isinstance(outcome, ProbeResult) and len(outcome.programs) == len(sources):
            return outcome.programs
        if len(sources) > 1:
            return [verdict for source in sources for verdict in self.probe([source])]
        message = outcome.message if isinstance(outcome, Failure) else "the probe gave no verdict"
        finding = ProbeFinding(level="error", code="probe-failed", message=message)
        return [ProgramProbe(findings=[finding])]

    def run_probe(self, sources: Sequence[str]) -> object:
        def job(folder: str) -> ProbeJob:
            return ProbeJob(
                task=str(self.task.folder.resolve()),
                programs=list(sources),
                folder=folder,
                own=self.own,
                seed=self.seed,
                time_limit=PROBE_SECONDS,
            )

        outcome: object = None
        for _ in range(ATTEMPTS_IF_KILLED):
            outcome = self.pool.run(job)
            if not isinstance(outcome, Failure) or outcome.reason != "killed":
                break
        return outcome


def static_findings(source: str, variables: dict[str, int | None]) -> list[ProbeFinding]:
    """The static check's refusals as gate findings; [] for a sound program.

    Of a program in another dialect only what cannot be translated is said: the rest is no fault.
    """
    from reward_synth.reward import check
    from reward_synth.reward.dialects import translate

    if not source.strip():
        return [ProbeFinding(level="error", code="empty", message=EMPTY)]
    findings = check(source, variables)
    if findings:
        findings = translate(source, variables).findings or findings
    return [
        ProbeFinding(
            level="error",
            code=finding.code,
            message=f"{finding.message}; {finding.instead}" if finding.instead else finding.message,
            line=finding.line,
            column=finding.column,
        )
        for finding in findings
    ]
