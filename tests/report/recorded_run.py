"""A run as a search leaves it, written through the store with made-up but valid reports."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from reward_synth.evaluation import decide, keep_at, rung_steps, standings
from reward_synth.evaluation.score import Score
from reward_synth.intervals import interval
from reward_synth.search.config import RunConfig
from reward_synth.simulation.mujoco_cpu import MujocoSimulator
from reward_synth.simulation.policy import Policy, save_policy
from reward_synth.store import NewCandidate, NewCompletion, RungDecision, Store, write_best
from reward_synth.task import load_task
from sandbox.messages import Checkpoint, ComponentStatistics, ProbeFinding, TrainingReport

SOURCE = '''UPRIGHT_WEIGHT = 2.0

def compute_reward(pole_up, cart_position, action):
    """Swing up, stay in the middle, spend little."""
    upright = UPRIGHT_WEIGHT * (1.0 + pole_up) / 2.0
    centred = xp.exp(-(cart_position**2) / 0.5)
    effort = -0.01 * xp.sum(action**2, axis=-1)
    return upright * centred + effort, {"upright": upright, "centred": centred, "effort": effort}
'''
COMPONENTS = ("upright", "centred", "effort")
FITNESS = {0: 0.31, 1: 0.42, 3: 0.39, 4: 0.71, 5: 0.48, 6: 0.55, 7: 0.86, 8: 0.8}
"""Search fitness by candidate; number 2 is refused and repaired by number 3; 9 and 10 fail."""
CONFIRMED = {8: (0.78, 0.81, 0.8), 7: (0.84, 0.88, 0.85)}


def curve(fitness: float, seed: int) -> TrainingReport:
    rng = np.random.default_rng(seed)
    checkpoints = []
    for i in range(1, 11):
        progress = float(1 - np.exp(-0.4 * i))
        components = {
            name: ComponentStatistics(
                mean=(1 - 0.5 * k) * progress * fitness + 0.02 * float(rng.normal()),
                min=-1.0,
                max=2.0,
                std=0.2,
                share=1 / len(COMPONENTS),
            )
            for k, name in enumerate(COMPONENTS)
        }
        measured = i > 1  # no episode had ended at the first checkpoint
        checkpoints.append(
            Checkpoint(
                step=10_000 * i,
                seconds=3.0 * i,
                episodes=40 if measured else 0,
                episode_return=250 * fitness * progress if measured else None,
                episode_length=250.0 if measured else None,
                fitness=fitness * progress + 0.02 * float(rng.normal()) if measured else None,
                success=progress * fitness if measured else None,
                components=components,
            )
        )
    return TrainingReport(
        seed=seed,
        steps=100_000,
        seconds=30.0,
        environments=16,
        trainer="ppo",
        checkpoints=checkpoints,
    )


def score(fitness: float) -> Score:
    return Score(
        fitness=fitness,
        low=fitness - 0.03,
        high=fitness + 0.03,
        episodes=[fitness] * 32,
        success=0.5,
        length=250,
    )


def noisy_score(fitness: float, rng: np.random.Generator) -> Score:
    """A score of eight episodes around ``fitness``."""
    episodes = [float(value) for value in fitness + 0.06 * rng.standard_normal(8)]
    low, high = interval(episodes)
    mean = float(np.mean(episodes))
    return Score(fitness=mean, low=low, high=high, episodes=episodes, success=None, length=250)


def result() -> dict:
    confirmed = CONFIRMED[7]
    return {
        "winner": 7,
        "fitness": float(np.mean(confirmed)),
        "low": 0.806,
        "high": 0.908,
        "confirmed": True,
        "confirmation": {str(number): list(values) for number, values in CONFIRMED.items()},
        "seeds": [100, 101, 102],
        "human_normalised": 1.042,
        "expert": 0.832,
        "sparse": 0.244,
    }


class Recorder:
    """Plays the part of the search: writes a run through the store's own methods."""

    def __init__(self, store: Store, scratch: Path) -> None:
        self.store = store
        self.task = load_task("cartpole-swingup")
        simulator = MujocoSimulator(self.task, 1)
        observations, actions = simulator.observation_size, simulator.action_size
        simulator.close()
        self.policy = scratch / "policy.safetensors"
        weight = 0.5 * np.random.default_rng(0).normal(size=(actions, observations))
        save_policy(
            self.policy,
            Policy(np.zeros(observations), np.ones(observations), (weight,), (np.zeros(actions),)),
        )

    def start(self, **settings: object) -> str:
        whole = {"steps": 100_000, "samples": 3, "iterations": 3, **settings}
        config = RunConfig(task="cartpole-swingup", **whole)  # type: ignore[arg-type]
        return self.store.create_run("search", self.task, config)

    def evaluate(self, candidate, fitness: float, **settings) -> None:
        purpose = settings.get("purpose", "search")
        seed = settings.get("seed", 0)
        report = settings.get("report") or curve(fitness, candidate.number + seed)
        self.store.record_evaluation(
            candidate,
            purpose=purpose,
            seed=seed,
            steps=100_000,
            report=report.model_copy(update={"note": settings.get("note", "")}),
            score=score(fitness),
            policy=self.policy,
            seconds=31.0,
            main=settings.get("main", True),
        )

    def whole_run(self, *, model: bool = True) -> str:
        """Three generations, a refusal with its repair, a failure, two finalists, a winner."""
        run_id = self.start(model="openai/test" if model else "offline")
        proposals = {
            0: [self.proposal(slot, 0, (), model) for slot in range(3)],
            1: [self.proposal(slot, 1, (1,), model) for slot in range(3)],
            2: [self.proposal(slot, 2, (4, 5), model) for slot in range(4)],
        }
        for generation, proposed in proposals.items():
            recorded = self.store.record_proposals(run_id, generation, proposed)
            for candidate in recorded:
                self.fate(candidate, FITNESS.get(candidate.number))
            if generation == 0:
                repair = replace(self.proposal(2, 0, (2,), model), repair=1)
                (repaired,) = self.store.record_proposals(run_id, 0, [repair])
                self.fate(repaired, FITNESS[repaired.number])
        self.store.add_seconds(run_id, 301.0)
        for candidate in self.store.candidates(run_id):
            for seed, fitness in enumerate(CONFIRMED.get(candidate.number, ()), start=100):
                self.evaluate(candidate, fitness, purpose="confirm", seed=seed)
        winner = self.store.candidates(run_id)[7]
        [searched] = [e for e in winner.evaluations if e.purpose == "search"]
        write_best(self.store.run_folder(run_id), winner, searched, result())
        self.store.finish_run(run_id, result())
        return run_id

    def pruned_run(self, *, seeds: int = 1) -> str:
        """Two generations of which rungs drop some; the last candidate fails, none is confirmed."""
        run_id = self.start(steps=100_000, seeds=seeds, finalists=0)
        for generation, size in enumerate((8, 6)):
            parents = (0,) if generation else ()
            proposed = [self.proposal(slot, generation, parents, False) for slot in range(size)]
            running = self.store.record_proposals(run_id, generation, proposed)
            for candidate in running:
                self.store.set_gate_verdict(candidate, "accepted")
            if generation:
                self.store.record_failure(running.pop(), "memory: more than 4 GiB were needed")
            for rung, steps in enumerate(rung_steps((0.125, 0.25, 0.5), 100_000)):
                if len(running) <= keep_at(rung, size):
                    continue
                levels = [self.climb(c, steps) for c in running]
                running = self.decide_rung(
                    rung, steps, running, levels, keep=keep_at(rung, size), seeds=seeds
                )
            for candidate in running:
                for k in range(seeds):
                    fitness = self.climb(candidate, 100_000) + 0.05 * k
                    self.evaluate(candidate, fitness, seed=10_000 * k, main=k == 0)
        return run_id

    def decide_rung(
        self, rung: int, steps: int, candidates, levels: list[float], *, keep: int, seeds: int = 1
    ) -> list:
        """Measure candidates around ``levels`` and decide as a search does; gives who is kept."""
        rng = np.random.default_rng(rung)
        measures = standings(
            [[noisy_score(level + 0.03 * s, rng) for s in range(seeds)] for level in levels]
        )
        decisions = [
            RungDecision(c, m.fitness, m.low, m.high, v.kept, f"dropped: {v.reason}")
            for c, m, v in zip(candidates, measures, decide(measures, keep), strict=True)
        ]
        self.store.record_rung(rung, steps, decisions)
        return [d.candidate for d in decisions if d.kept]

    def climb(self, candidate, steps: int) -> float:
        """Fitness of a made-up candidate after so many steps."""
        best = 0.2 + 0.09 * ((candidate.slot * 5) % 8) + 0.05 * candidate.generation
        return best * float(1 - np.exp(-steps / 30_000))

    def proposal(
        self, slot: int, generation: int, parents: tuple[int, ...], model: bool
    ) -> NewCandidate:
        completion = NewCompletion(
            model="openai/test",
            messages=[
                {"role": "system", "content": "You write reward functions."},
                {"role": "user", "content": f"Generation {generation}: swing the pole up."},
            ],
            text=f"Reward uprightness first.\n\n```python\n{SOURCE}```",
            prompt_tokens=900 if slot == 0 else 0,
            completion_tokens=210,
            cost=0.0031,
        )
        return NewCandidate(
            slot=slot,
            source=SOURCE,
            origin="model" if model else "offline",
            parents=parents,
            note="" if model else "changed one weight",
            completion=completion if model else None,
        )

    def fate(self, candidate, fitness: float | None) -> None:
        if candidate.number == 2:
            finding = ProbeFinding(
                level="error",
                code="unknown-variable",
                message="there is no variable `pole_hight`; did you mean `pole_height`?",
                line=3,
                column=24,
            )
            self.store.set_gate_verdict(candidate, "refused", str(finding.message), [finding])
            return
        self.store.set_gate_verdict(candidate, "accepted")
        if fitness is None:
            self.store.record_failure(candidate, "memory: the training needed more than 4 GiB")
        else:
            self.evaluate(candidate, fitness)
