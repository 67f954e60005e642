"""From a run's settings to its strategy: who proposes, with which models, and what stands around.

A new strategy is a file beside this one, a folder of templates, and an entry here; see
``docs/strategies.md``.
"""

from typing import Any

from reward_synth.errors import UserError
from reward_synth.search.config import Role, RunConfig
from reward_synth.search.roles import OFFLINE, Roles, SoFar, check_models, connect_roles
from reward_synth.search.strategy import Strategy
from reward_synth.search.tuning import Tuned
from reward_synth.simulation import task_spec
from reward_synth.store import Store
from reward_synth.task import Task

ASKED: dict[str, tuple[Role, ...]] = {
    "offline": (),
    "eureka": ("designer",),
    "text2reward": ("designer",),
    "auto-mc-reward": ("designer", "critic", "analyser"),
    "card": ("designer",),
    "islands": ("designer",),
}
"""Strategies by name, with the roles that each asks."""


def strategy_name(config: RunConfig) -> str:
    """The strategy of a run.  Raises UserError where it does not fit the model."""
    offline = config.models == (OFFLINE,)
    name = config.strategy or ("offline" if offline else "eureka")
    if name == "offline" and not offline:
        raise UserError("--strategy offline asks no language model: leave --model out")
    if name != "offline" and offline:
        raise UserError(f"--strategy {name} needs a language model: name one with --model")
    return name


def build_strategy(task: Task, config: RunConfig, so_far: SoFar, store: Store) -> Strategy:
    """Who proposes, and around it what was asked for.  Raises UserError."""
    check_options(config)
    name = strategy_name(config)
    if name == "offline":
        from reward_synth.search.offline import Offline

        check_models(config, ())
        strategy = Offline(task, samples=config.samples, seed=config.seed)
    else:
        roles = connect_roles(config, so_far, asked=ASKED[name])
        strategy = asking_strategy(name, task, config, roles, store)
        if roles.spread is not None:
            from reward_synth.search.spreading import Spreading

            strategy = Spreading(strategy, roles.spread)
    if config.tune:
        strategy = Tuned(
            strategy,
            task_spec(task).readable,
            samples=config.samples,
            count=config.tune,
            seed=config.seed,
        )
    return strategy


def asks_a_person(config: RunConfig) -> bool:
    """Whether somebody, real or simulated, judges each generation."""
    return config.feedback or config.simulated_person is not None


def suited(task: Task, config: RunConfig) -> RunConfig:
    """A run's settings as its task lets them be: without a fitness, what people prefer decides.

    Nothing is confirmed then: there is no measure to confirm by, and nobody has seen the policies
    of fresh seeds.  Raises UserError where nobody is there who prefers.
    """
    if task.fitness is not None:
        return config
    if config.simulated_person is not None:
        raise UserError(
            f"task {task.name} has no fitness, by which a simulated person could judge: judge "
            "yourself, with --feedback"
        )
    if not config.feedback:
        raise UserError(
            f"task {task.name} has no fitness, so somebody has to say which policies are better: "
            "add --feedback"
        )
    if config.strategy == "card":
        raise UserError(
            "--strategy card checks programs by the fitness of recorded episodes, and task "
            f"{task.name} has none: choose another strategy"
        )
    return config.model_copy(update={"select": "preference", "finalists": 0})


def check_options(config: RunConfig) -> None:
    """Raises UserError for what only one strategy takes, given to another one."""
    name = strategy_name(config)
    if config.say and name != "text2reward":
        raise UserError(f"--say is heard by --strategy text2reward, not by {name}")
    if len(config.say) >= config.iterations:
        raise UserError(
            f"{len(config.say)} times --say need {len(config.say) + 1} generations: give "
            f"--iterations {len(config.say) + 1}"
        )
    if config.overlap and name == "offline":
        raise UserError("--overlap needs a language model that is asked ahead: add --model")
    if config.overlap and (config.trainer == "sb3" or not config.rungs):
        raise UserError(
            "--overlap asks for the next generation at the last rung of this one, and there is "
            "none: leave out --trainer sb3 and --no-prune"
        )
    if config.select == "preference" and not asks_a_person(config):
        raise UserError("--select preference needs someone who prefers: add --feedback")
    if asks_a_person(config) and config.overlap:
        raise UserError(
            "--feedback waits for your word before the next generation is asked for, and "
            "--overlap does not wait for this one: leave one of them out"
        )
    if config.feedback and config.simulated_person is not None:
        raise UserError(
            "--feedback asks you, --simulated-person somebody who is not: leave one out"
        )
    if asks_a_person(config) and config.iterations == 1 and config.select == "fitness":
        raise UserError(
            "--feedback is heard from the second generation on: give --iterations 2 or more"
        )
    if config.start is not None and name == "offline":
        raise UserError("--start needs a language model that goes on from there: add --model")


def asking_strategy(
    name: str, task: Task, config: RunConfig, roles: Roles, store: Store
) -> Strategy:
    """A strategy that asks language models."""
    more: dict[str, Any] = {}
    if name == "eureka":
        from reward_synth.search.eureka import Eureka as Chosen
    elif name == "text2reward":
        from reward_synth.search.examples import similar_examples
        from reward_synth.search.text2reward import Text2Reward as Chosen

        more = {"said": config.say, "examples": similar_examples(store, task, config.examples)}
    elif name == "auto-mc-reward":
        from reward_synth.search.auto_mc_reward import AutoMcReward as Chosen

        more = {"repairs": config.repairs, "critic": roles.critic, "analyser": roles.analyser}
    elif name == "card":
        from reward_synth.search.card import Card as Chosen
    else:
        from reward_synth.search.islands import Islands as Chosen

        more = {"seed": config.seed}
    return Chosen(
        task,
        task_spec(task).readable,
        task_spec(task).statistics,
        roles.designer,
        samples=config.samples,
        temperature=roles.designer.temperature,
        steps=config.steps,
        algorithm=config.algorithm,
        start=config.start,
        **more,
    )
