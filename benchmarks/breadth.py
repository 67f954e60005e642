"""On how many environments of others does everything work, from the id alone?

    python benchmarks/breadth.py [--quick] [--json FILE]

For each of some 60 ids of a dozen families: a task folder is made as ``tasks new --yes`` makes it,
its own rewards go through the gate as ``check`` sends them, and a policy is trained with the
environment's own reward for 20,000 steps (``train --reward native``) in a confined worker.  What
fails says so in the words that a user would read.
"""

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.measure import machine, print_table

STEPS = 20_000
FAMILIES: dict[str, tuple[str, ...]] = {
    "Gymnasium classic control": (
        "CartPole-v1", "Pendulum-v1", "Acrobot-v1", "MountainCarContinuous-v0", "MountainCar-v0",
    ),
    "Gymnasium Box2D": ("LunarLander-v3", "BipedalWalker-v3"),
    "Gymnasium MuJoCo": (
        "Ant-v5", "HalfCheetah-v5", "Hopper-v5", "Humanoid-v5", "InvertedDoublePendulum-v5",
        "Pusher-v5", "Reacher-v5", "Swimmer-v5", "Walker2d-v5",
    ),
    "dm_control": (
        "CartpoleSwingup-v1", "CheetahRun-v1", "FingerSpin-v1", "FishSwim-v1", "HopperHop-v1",
        "QuadrupedWalk-v1", "ReacherEasy-v1", "BallInCupCatch-v1", "WalkerWalk-v1",
        "ManipulatorBringBall-v1", "AcrobotSwingup-v1", "PointMassEasy-v1",
    ),
    "Meta-World": (
        "MetaWorld/DrawerOpen-v3", "MetaWorld/DoorOpen-v3", "MetaWorld/ButtonPress-v3",
        "MetaWorld/Reach-v3", "MetaWorld/Push-v3", "MetaWorld/PickPlace-v3",
        "MetaWorld/WindowOpen-v3", "MetaWorld/PegInsertSide-v3", "MetaWorld/Soccer-v3",
    ),
    "Gymnasium-Robotics": (
        "FetchReach-v4", "FetchPush-v4", "FetchPickAndPlaceDense-v4", "HandReach-v3",
        "HandManipulateBlock-v1", "AdroitHandDoor-v1", "AdroitHandRelocate-v1",
        "PointMaze_UMaze-v3", "FrankaKitchen-v1",
    ),
    "MyoSuite": (
        "myoElbowPose1D6MRandom-v0", "myoArmReachRandom-v0", "motorFingerReachRandom-v0",
        "MyoSuite/MyoHandCubesmallLift-v0", "myoFatiHandObjHoldFixed-v0",
    ),
    "MuJoCo Playground": (
        "MuJoCoPlayground/Go1JoystickFlatTerrain-v1", "MuJoCoPlayground/G1JoystickFlatTerrain-v1",
        "MuJoCoPlayground/PandaPickCube-v1", "MuJoCoPlayground/LeapCubeRotateZAxis-v1",
        "MuJoCoPlayground/AlohaHandOver-v1", "MuJoCoPlayground/SpotFlatTerrainJoystick-v1",
        "MuJoCoPlayground/BarkourJoystick-v1", "MuJoCoPlayground/T1JoystickFlatTerrain-v1",
    ),
    "highway": ("parking-v0", "lane-keeping-v0"),
    "toy text": ("FrozenLake-v1", "CliffWalking-v1", "NChain-v0"),
    "mjlab": ("Mjlab-Cartpole-Balance", "Mjlab-Cartpole-Swingup"),
}  # fmt: skip
QUICK = ("CartPole-v1", "Pendulum-v1", "WalkerWalk-v1", "MetaWorld/DrawerOpen-v3")


@dataclass(frozen=True)
class Outcome:
    """What became of one id."""

    id: str
    family: str
    source: str
    made: bool = False
    checked: bool = False
    trained: bool = False
    seconds: float = 0.0
    fitness: float | None = None
    why: str = ""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="four ids")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the outcomes there")
    options = parser.parse_args(arguments)
    print(machine())
    root = Path(tempfile.mkdtemp(prefix="breadth-"))
    outcomes: list[Outcome] = []
    try:
        for family, ids in FAMILIES.items():
            for id in ids:
                if not options.quick or id in QUICK:
                    outcomes.append(one(id, family, root))
                    print(f"{len(outcomes):3d} {said(outcomes[-1])}", flush=True)
                    if options.json is not None:
                        found = [asdict(outcome) for outcome in outcomes]
                        options.json.write_text(json.dumps(found, indent=1) + "\n")
    finally:
        shutil.rmtree(root, ignore_errors=True)
    report(outcomes)


def one(id: str, family: str, root: Path) -> Outcome:
    """Make, check and train on one id."""
    from reward_synth import api
    from reward_synth.authoring import catalogue
    from reward_synth.authoring.making import draft_of, make_folder, try_task
    from reward_synth.errors import RunError, UserError

    begun = time.perf_counter()
    source, made, checked = "", False, False
    folder = root / id.replace("/", "-")
    try:
        entry = catalogue.find(id)
        if entry is None or entry.environment is None:
            raise UserError("no installed registry knows it")
        source = entry.source
        task = make_folder(draft_of(entry.environment), folder)
        made = True
        trial = try_task(task)
        if trial.refused:
            raise UserError(trial.refused[0])
        checked = True
        run = api.train(
            folder, "native", seeds=(100,), steps=STEPS, workers=1, runs_dir=root / "runs"
        )
    except (UserError, RunError) as error:
        seconds = time.perf_counter() - begun
        return Outcome(id, family, source, made, checked, False, seconds, None, str(error))
    seconds = time.perf_counter() - begun
    return Outcome(id, family, source, True, True, True, seconds, run.result["fitness"])


def said(outcome: Outcome) -> str:
    """One line of an outcome."""
    state = f"trained, fitness {outcome.fitness:.4g}" if outcome.trained else outcome.why
    return f"{outcome.id} ({outcome.source}): {state} [{outcome.seconds:.0f} s]"


def report(outcomes: Sequence[Outcome]) -> None:
    """A table by family, and what did not work."""
    rows = []
    for family in dict.fromkeys(outcome.family for outcome in outcomes):
        mine = [outcome for outcome in outcomes if outcome.family == family]
        counts = [sum(getattr(o, name) for o in mine) for name in ("made", "checked", "trained")]
        rows.append([family, str(len(mine)), *map(str, counts)])
    trained = sum(outcome.trained for outcome in outcomes)
    print_table("Environments of others", ("family", "ids", "made", "checked", "trained"), rows)
    print(f"{trained} of {len(outcomes)} ids")
    for outcome in outcomes:
        if not outcome.trained:
            print(f"  {outcome.id}: {outcome.why}")


if __name__ == "__main__":
    main()
