"""Searches of a second with a language model, and all of them that must come out alike."""

from pathlib import Path
from typing import Any

from reward_synth.api import silent
from reward_synth.search import Observer, RunConfig, loop
from reward_synth.store import Store
from reward_synth.store.schema import Completion, Run

SETTINGS: dict[str, Any] = {
    "task": "cartpole-swingup",
    "model": "openai/gpt-4o",
    "samples": 3,
    "iterations": 2,
    "steps": 512,
    "rungs": (),
    "finalists": 0,
    "evaluation_episodes": 2,
    "workers": 1,
}


def answer(body: str) -> str:
    return f"So:\n\n```python\n{body}\n```"


def program(weight: float) -> str:
    """One of its own for each weight."""
    return f"""WEIGHT = {weight}


def compute_reward(pole_up, cart_position):
    \"\"\"Upright and centred.\"\"\"
    upright = WEIGHT * (1.0 + pole_up) / 2.0
    centred = -0.1 * xp.abs(cart_position)
    return upright + centred, {{"upright": upright, "centred": centred}}"""


def upright(weight: float) -> str:
    """An answer with that program."""
    return answer(program(weight))


def search(runs_dir: Path, observer: Observer = silent, **changes: Any) -> Run:
    """A search with these settings, to its end or to a limit."""
    with Store.open(runs_dir) as store:
        config = RunConfig.model_validate({**SETTINGS, **changes})
        return store.get_run(loop.search(config, store=store, observer=observer))


def resume(runs_dir: Path, **changes: Any) -> Run:
    """The only run of a folder, to its end or to a limit."""
    with Store.open(runs_dir) as store:
        [run] = store.list_runs()
        return store.get_run(loop.resume(run.id, store=store, observer=silent, changes=changes))


def read(runs_dir: Path) -> Run:
    """The only run of a folder."""
    with Store.open(runs_dir) as store:
        [run] = store.list_runs()
        return store.get_run(run.id)


def outcome(runs_dir: Path, run: Run) -> dict[str, object]:
    """All that a repetition must give again, prompts, tokens and policies included.

    Nothing that tells how long something took.
    """
    assert run.result is not None
    best = runs_dir / run.id / "best"
    return {
        "candidates": [
            (
                *(c.number, c.generation, c.slot, c.repair, c.origin, c.parents, c.note),
                *(c.source, c.status, c.reason, c.findings),
                c.completion and said(c.completion),
                [(r.rung, r.steps, r.fitness, r.low, r.high, r.kept) for r in c.rungs],
                [(e.purpose, e.seed, e.steps, e.score, e.policy_sha256) for e in c.evaluations],
            )
            for c in run.candidates
        ],
        # Reviews are asked side by side, and recorded as they come.
        "completions": sorted(map(said, run.completions), key=repr),
        "result": {name: value for name, value in run.result.items() if name != "seconds"},
        "best": [(best / name).read_bytes() for name in ("reward.py", "policy.safetensors")],
    }


def said(completion: Completion) -> tuple[object, ...]:
    """An answer, its prompt, and what it took."""
    return (
        *(completion.generation, completion.purpose, completion.model),
        *(completion.messages, completion.text),
        *(completion.prompt_tokens, completion.completion_tokens, completion.cost),
    )
