"""A population's training in this process: who fails, who is not disturbed, and legs."""

import errno
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reward_synth.errors import DeviceMemoryError
from reward_synth.task import load_task, reward_source
from sandbox import training
from sandbox.messages import Checkpoint, Failure, Member, MemberResult, TrainingReport, TrainJob
from sandbox.training import train

CARTPOLE = load_task("cartpole-swingup")
HOPPER = load_task("hopper-forward")
ROLLOUT = CARTPOLE.ppo.environments * CARTPOLE.ppo.rollout_steps
"""Environment steps of one update."""
STEPS = 4 * ROLLOUT

EXPERT = reward_source(CARTPOLE, "expert")
SPARSE = reward_source(CARTPOLE, "sparse")
NAN_FROM_THE_START = """
def compute_reward(cart_position):
    odd = xp.sqrt(-xp.abs(cart_position))
    return odd, {"odd": odd}
"""
FAST = """
LIMIT = 1e6

def compute_reward(pole_velocity, action):
    '''NaN as soon as the pole is faster than the limit, which decides nothing else.'''
    effort = xp.sum(action**2, axis=-1)
    speed = xp.abs(pole_velocity)
    odd = 0.0 * xp.sqrt(LIMIT - speed)
    return effort + odd, {"effort": effort, "speed": speed, "odd": odd}
"""
NAN_BESIDE_THE_TOTAL = """
def compute_reward(pole_up, cart_position):
    odd = xp.sqrt(-xp.abs(cart_position))
    return pole_up, {"up": pole_up, "odd": odd}
"""
HUGE = """
def compute_reward(pole_up):
    up = (pole_up * 1e9) ** 10
    huge = up * up
    return huge, {"up": up, "huge": huge}
"""
UNKNOWN = """
def compute_reward(pole_upp):
    return pole_upp, {"up": pole_upp}
"""


@dataclass
class Training:
    """What a job gave and left."""

    results: dict[str, MemberResult]
    events: list[Any]
    folder: Path

    def report(self, name: str) -> TrainingReport:
        report = self.results[name].report
        assert report is not None, self.results[name].failure
        return report

    def failure(self, name: str) -> Failure:
        failure = self.results[name].failure
        assert failure is not None and self.results[name].report is None
        return failure

    def policy(self, name: str) -> bytes:
        return (self.folder / f"{name}.safetensors").read_bytes()

    def timeless(self, name: str) -> list[dict[str, Any]]:
        return [c.model_dump(exclude={"seconds"}) for c in self.report(name).checkpoints]


def member(name: str, program: str = EXPERT, seed: int = 1) -> Member:
    return Member(name=name, program=program, seed=seed)


def run(folder: Path, *members: Member, task: Path = CARTPOLE.folder, **changes: Any) -> Training:
    folder.mkdir(exist_ok=True)
    events: list[Any] = []
    settings = {"steps": STEPS, **changes}
    job = TrainJob(task=str(task), members=list(members), folder=str(folder), **settings)
    result = train(job, events.append)
    names = [said.member for said in result.members]
    assert sorted(names) == sorted(m.name for m in members)
    return Training({said.member: said for said in result.members}, events, folder)


def same(one: Training, other: Training, names: Sequence[str]) -> bool:
    """Whether policies are the same bytes and reports the same but for the time."""
    return all(
        one.policy(name) == other.policy(name) and one.timeless(name) == other.timeless(name)
        for name in names
    )


FOUR = [
    member("expert", EXPERT, 1),
    member("sparse", SPARSE, 2),
    member("again", EXPERT, 3),
    member("twin", EXPERT, 1),
]


@pytest.fixture(scope="module")
def late(tmp_path_factory) -> Member:
    """A member whose reward becomes NaN in the second or third of its four rollouts."""
    for seed in range(20):
        one = member("late", FAST, seed)
        found = run(tmp_path_factory.mktemp("late"), one, checkpoints=100)
        fastest = [c.components["speed"].max for c in found.report("late").checkpoints]
        limit = (fastest[0] + max(fastest[1:3])) / 2
        if fastest[0] < limit:
            return one.model_copy(update={"constants": {"LIMIT": limit}})
    raise AssertionError("the pole was fastest in the first rollout of every seed")


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Training:
    """Four sound members, trained in one go."""
    return run(tmp_path_factory.mktemp("whole"), *FOUR)


def test_members_learn_from_their_own_program_and_seed(whole: Training):
    assert whole.policy("expert") == whole.policy("twin")
    assert len({whole.policy(name) for name in ("expert", "sparse", "again")}) == 3
    assert set(whole.report("expert").checkpoints[0].components) == {
        "upright", "centred", "gentle", "still",
    }  # fmt: skip
    for one in FOUR:
        report = whole.report(one.name)
        assert (report.seed, report.steps) == (one.seed, STEPS)
        assert report.environments == CARTPOLE.ppo.environments
        assert report.checkpoints == [e for e in whole.events if e.member == one.name]


def test_constants_take_the_place_of_the_programs_own(tmp_path):
    program = """
WEIGHT = 1.0

def compute_reward(pole_up):
    up = WEIGHT * pole_up
    return up, {"up": up}
"""
    overridden = Member(name="a", program=program, constants={"WEIGHT": -2.0}, seed=1)
    written = member("b", program.replace("1.0", "-2.0"))
    found = run(tmp_path, overridden, written, member("c", program), steps=ROLLOUT)
    assert same_but_name(found, "a", "b")
    assert found.policy("a") != found.policy("c")


def same_but_name(training: Training, one: str, other: str) -> bool:
    first, second = training.timeless(one), training.timeless(other)
    alike = [{**c, "member": ""} for c in first] == [{**c, "member": ""} for c in second]
    return alike and training.policy(one) == training.policy(other)


# --- members that fail -----------------------------------------------------------------------


def test_members_that_fail_leave_the_others_undisturbed(tmp_path, whole: Training, late: Member):
    """Whenever they fail: before, at the first rollout, or in the middle."""
    a, b, c, _ = FOUR
    found = run(
        tmp_path,
        member("unknown", UNKNOWN),
        member("nan", NAN_FROM_THE_START),
        a,
        late,
        b,
        member("beside", NAN_BESIDE_THE_TOTAL),
        member("huge", HUGE),
        c,
    )
    assert same(found, whole, ["expert", "sparse", "again"])
    reasons = {name: r.failure.reason for name, r in found.results.items() if r.failure}
    assert reasons == {
        "unknown": "raised",
        "nan": "non-finite",
        "late": "non-finite",
        "beside": "non-finite",
        "huge": "non-finite",
    }
    assert "'pole_upp'" in found.failure("unknown").message
    for name in ("nan", "late", "beside"):
        assert found.failure(name).message.endswith("in component 'odd'")
    assert "'huge'" in found.failure("huge").message
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == ["again.safetensors", "expert.safetensors", "sparse.safetensors"]


def test_a_reward_can_become_nan_in_the_middle_of_a_training(tmp_path, late: Member):
    found = run(tmp_path, late, member("beside", EXPERT), checkpoints=4)
    assert found.failure("late").reason == "non-finite"
    told = [event.step for event in found.events if event.member == "late"]
    assert told in ([ROLLOUT], [ROLLOUT, 2 * ROLLOUT])


def test_weights_that_become_nan_are_their_members_failure(tmp_path, whole: Training, monkeypatch):
    """Through the learner itself: one member's weights are broken after its second update."""
    from sandbox.population import Population

    learn = Population.learn

    def break_one(self: Population, *arguments: Any) -> None:
        learn(self, *arguments)
        if self.steps == 2 * ROLLOUT and len(self) == 3:
            self.theta[1, 0] = float("nan")

    monkeypatch.setattr(Population, "learn", break_one)
    a, b, c, _ = FOUR
    found = run(tmp_path, a, b, c)
    assert "weights became NaN" in found.failure("sparse").message
    assert same(found, whole, ["expert", "again"])


@pytest.mark.parametrize("programs", [[UNKNOWN, "no program"], [NAN_FROM_THE_START] * 2])
def test_when_all_members_fail_the_result_has_their_reasons(tmp_path, programs):
    found = run(tmp_path, *(member(f"m{k}", program) for k, program in enumerate(programs)))
    assert all(result.failure and not result.report for result in found.results.values())
    assert list(tmp_path.iterdir()) == []
    assert found.events == []


# --- legs --------------------------------------------------------------------------------------


def test_two_legs_are_one_training(tmp_path, whole: Training):
    first = run(tmp_path, *FOUR, until=STEPS // 2, keep=True)
    assert {r.report and r.report.steps for r in first.results.values()} == {STEPS // 2}
    names = [one.name for one in FOUR]
    assert all((tmp_path / f"{name}.state.safetensors").exists() for name in names)
    assert same(run(tmp_path, *FOUR), whole, names)


def test_survivors_go_on_in_other_company(tmp_path, whole: Training, late: Member):
    """Three legs; who is left is regrouped after each, in another order."""
    a, b, c, _ = FOUR
    run(tmp_path, a, late, b, c, until=1, keep=True)  # rounded up to one update
    assert run(tmp_path, c, late, until=3 * ROLLOUT, keep=True).failure("late")
    run(tmp_path, b, a, until=3 * ROLLOUT, keep=True)
    assert same(run(tmp_path, b, c), whole, ["sparse", "again"])
    assert same(run(tmp_path, a), whole, ["expert"])


def test_legs_join_where_episodes_are_under_way(tmp_path):
    """Hopper's episodes end all the time, and its expert reads ``prev_`` values."""
    program = """
def compute_reward(forward_velocity, action, prev_action, prev_torso_height, torso_height):
    rise = torso_height - prev_torso_height
    smooth = -xp.sum((action - prev_action) ** 2, axis=-1)
    total = forward_velocity + 10.0 * rise + 0.1 * smooth
    return total, {"run": forward_velocity, "rise": rise, "smooth": smooth}
"""
    members = member("a", program, 1), member("b", reward_source(HOPPER, "expert"), 2)
    rollout = HOPPER.ppo.environments * HOPPER.ppo.rollout_steps
    settings = {"task": HOPPER.folder, "steps": 3 * rollout, "checkpoints": 5}
    one = run(tmp_path / "one", *members, **settings)
    two = tmp_path / "two"
    run(two, *members, **settings, until=rollout, keep=True)
    run(two, members[1], **settings, until=2 * rollout, keep=True)
    run(two, members[0], **settings, until=2 * rollout, keep=True)
    assert same(run(two, *members[::-1], **settings), one, ["a", "b"])
    assert sum(c.episodes for c in one.report("a").checkpoints) > 20


def test_threads_change_nothing(tmp_path, whole: Training):
    assert same(run(tmp_path, *FOUR, threads=2), whole, [one.name for one in FOUR])


def test_members_that_got_not_equally_far_are_refused(tmp_path):
    a, b, *_ = FOUR
    run(tmp_path, a, until=ROLLOUT, keep=True)
    with pytest.raises(ValueError, match="equally far"):
        run(tmp_path, a, b)
    run(tmp_path, b, until=2 * ROLLOUT, keep=True)
    with pytest.raises(ValueError, match="equally far"):
        run(tmp_path, a, b)


# --- environments -------------------------------------------------------------------------------


def test_a_job_may_say_how_many_environments_each_member_has(tmp_path):
    found = run(tmp_path, member("a"), member("b", seed=2), environments=6, steps=600)
    report = found.report("a")
    assert report.environments == 6 and report.note == ""
    # Rollouts are as long as ever, here two of 64 steps.
    assert report.steps == 2 * 6 * CARTPOLE.ppo.rollout_steps
    alone = run(tmp_path / "alone", member("b", seed=2), environments=6, steps=600)
    assert same(alone, found, ["b"])


def test_too_little_device_memory_halves_the_environments_and_says_so(tmp_path, monkeypatch):
    """A machine that holds 40 environments: two members of 16, or three of 8."""
    make = training.open_simulator

    def small(task: Any, environments: int, *others: Any) -> Any:
        if environments > 40:
            raise DeviceMemoryError("the device is full")
        return make(task, environments, *others)

    monkeypatch.setattr(training, "open_simulator", small)
    members = FOUR[:3]
    two = run(tmp_path / "two", *members[:2], steps=2048)
    assert (two.report("expert").environments, two.report("expert").note) == (16, "")
    three = run(tmp_path / "three", *members, steps=2048)
    for one in members:
        report = three.report(one.name)
        assert (report.environments, report.steps) == (8, 2048)
        assert "8 instead of 16 environments" in report.note
    # Who began so goes on so, also where there would be room.
    legs = tmp_path / "legs"
    run(legs, *members, steps=2048, until=1024, keep=True)
    run(legs, members[0], steps=2048)
    assert (legs / "expert.safetensors").read_bytes() == three.policy("expert")


def test_where_not_even_few_environments_fit_the_job_says_so(tmp_path, monkeypatch):
    def full(*_: Any) -> Any:
        raise DeviceMemoryError("the device is full")

    monkeypatch.setattr(training, "open_simulator", full)
    with pytest.raises(DeviceMemoryError, match="cpu has too little memory"):
        run(tmp_path, member("a"))


# --- checkpoints -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "checkpoints", "expected"),
    [
        (1, 10, [16]),  # one step of each environment
        (STEPS - 5, 2, [2 * ROLLOUT, STEPS]),  # rounded up to whole updates
        (STEPS, 3, [2 * ROLLOUT, 3 * ROLLOUT, STEPS]),
        (STEPS, 100, [ROLLOUT, 2 * ROLLOUT, 3 * ROLLOUT, STEPS]),
    ],
)
def test_checkpoints_stand_where_updates_pass_their_share(tmp_path, steps, checkpoints, expected):
    found = run(tmp_path, member("a"), steps=steps, checkpoints=checkpoints)
    report = found.report("a")
    assert [c.step for c in report.checkpoints] == expected
    assert report.steps == expected[-1]


def test_checkpoints_add_up(tmp_path):
    rollout = HOPPER.ppo.environments * HOPPER.ppo.rollout_steps
    program = """
def compute_reward(torso_height, action):
    one = xp.ones_like(torso_height)
    effort = xp.sum(action**2, axis=-1)
    return one, {"one": one, "effort": effort}
"""
    found = run(
        tmp_path, member("a", program), task=HOPPER.folder, steps=3 * rollout, checkpoints=3
    )
    checkpoints: list[Checkpoint] = found.report("a").checkpoints
    assert [c.step for c in checkpoints] == [rollout, 2 * rollout, 3 * rollout]
    seconds = [c.seconds for c in checkpoints]
    assert seconds == sorted(seconds)
    in_episodes = sum(c.episodes * (c.episode_length or 0.0) for c in checkpoints)
    unfinished = 3 * rollout - in_episodes
    assert 0 <= unfinished < HOPPER.ppo.environments * HOPPER.episode_steps
    assert checkpoints[0].noise == pytest.approx(np.exp(HOPPER.ppo.initial_log_std))
    assert len({c.noise for c in checkpoints}) == 3
    for checkpoint in checkpoints:
        assert checkpoint.episodes > 0
        # A reward of 1 each step: an episode's return is its length.
        assert checkpoint.episode_return == pytest.approx(checkpoint.episode_length)
        one, effort = checkpoint.components["one"], checkpoint.components["effort"]
        assert (one.min, one.max, one.mean, one.std) == (1.0, 1.0, 1.0, 0.0)
        assert one.share + effort.share == pytest.approx(1.0)
        assert 0.0 <= effort.min < effort.mean < effort.max <= 3.0


@pytest.mark.parametrize("until", [STEPS, 10 * STEPS])
def test_a_leg_ends_with_the_training(tmp_path, whole: Training, until: int):
    found = run(tmp_path, FOUR[0], until=until)
    assert found.report("expert").steps == STEPS
    assert same(found, whole, ["expert"])


# --- a task that is wrong ------------------------------------------------------------------------


def wrong_task(folder: Path, old: str, new: str) -> Path:
    """Cartpole with one line changed."""
    source = (CARTPOLE.folder / "task.py").read_text()
    assert source.count(old) == 1
    folder.mkdir()
    (folder / "task.py").write_text(source.replace(old, new))
    return folder


POLE_SIDE = 'Derived(lambda v, xp: xp.sin(v["hinge_angle"]))'


@pytest.mark.parametrize(
    "value",
    ['xp.log(0.3 - xp.abs(v["cart_position"]))', '1.0 / xp.maximum(xp.cos(v["hinge_angle"]), 0.0)'],
    ids=["nan", "infinite"],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_an_observation_that_is_not_finite_names_its_variable(tmp_path, value):
    task = wrong_task(tmp_path / "wrong", POLE_SIDE, f"Derived(lambda v, xp: {value})")
    found = run(tmp_path / "job", member("a", NAN_FROM_THE_START.replace("-xp", "xp")), task=task)
    failure = found.failure("a")
    assert failure.reason == "non-finite"
    assert "variable 'pole_side' of" in failure.message
    assert str(task / "task.py") in failure.message


def test_a_fitness_that_is_not_finite_says_whose_it_is(tmp_path):
    task = wrong_task(
        tmp_path / "wrong",
        "return float(np.mean(upright * centred))",
        "return math.nan",
    )
    found = run(tmp_path / "job", member("a"), task=task)
    failure = found.failure("a")
    assert failure.reason == "non-finite"
    assert "fitness of an episode is nan" in failure.message
    assert str(task / "task.py") in failure.message


def test_a_disk_that_is_full_for_a_state_is_no_fault_of_the_candidate():
    state = {"weights": np.zeros(1000)}, {"step": 3}
    with pytest.raises(OSError) as full:
        training.write_snapshot(Path("/dev/full"), state)
    assert full.value.errno == errno.ENOSPC  # which the worker reports as "disk"
