"""A runs folder with thousands of made-up but valid candidates, for ``benchmarks/crowd.py``.

One search is large, the others are as people leave them, with plain trainings of the expert and the
sparse reward among them.  Rows go straight into the tables, some thousands in one transaction;
prompts, programs and learning curves have the size and the shape of real ones.
"""

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import insert

from reward_synth.search.config import RunConfig, TrainConfig
from reward_synth.store import Candidate, Completion, Evaluation, Run, Rung, Store
from reward_synth.task import Task, load_task, reward_source

TASKS = ("cartpole-swingup", "hopper-forward", "cheetah-run", "ant-forward")
COMPONENTS = ("forward", "upright", "stride", "effort", "smooth")
STEPS = 100_000
CHECKPOINTS = 10
EPISODES = 32
RUNGS = (12_500, 25_000, 50_000)
FINALISTS = 2
CONFIRMATION = (100, 101, 102)
CONFIRMED_APART = (-0.024, 0.0, 0.024)
"""How far fresh seeds lie from their mean: 95 % of Student's t is then the ±0.06 of ``result``."""
PROMPT_LINES, ANSWER_LINES = 110, 12
"""Lines of a prompt and of the words around an answered program: some nine and one kilobytes."""
START = datetime(2026, 1, 1, tzinfo=UTC)
STATES = ("finished", "finished", "finished", "finished", "stopped", "running", "failed")


class Crowd:
    """Rows for a store, collected and then written at once."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.rows: dict[Any, list[dict[str, Any]]] = {
            table: [] for table in (Run, Completion, Candidate, Evaluation, Rung)
        }

    def add_search(
        self, task: Task, name: str, *, samples: int, iterations: int, model: str, status: str
    ) -> None:
        """A search of ``samples`` × ``iterations`` candidates whose scores rise."""
        config = RunConfig(
            task=str(task.folder),
            samples=samples,
            iterations=iterations,
            steps=STEPS,
            model=model,
            strategy="offline" if model == "offline" else "eureka",
        )
        created = self._add_run(name, "search", task, config.model_dump(mode="json"), status)
        source = reward_source(task, "expert")
        scored: list[tuple[float, int, int]] = []
        parents: list[int] = []
        for generation in range(iterations):
            for slot in range(samples):
                number = generation * samples + slot
                level = 1.0 - 0.7 * math.exp(-0.3 * generation) + 0.15 * self.rng.normal()
                moment = created + timedelta(seconds=60.0 * generation + slot)
                status = self._fate(slot, samples)
                key = self._add_candidate(
                    name, number, generation, slot, source, parents, model, status
                )
                if status in ("pruned", "scored"):
                    self._add_rungs(key, level, slot, pruned=status == "pruned")
                if status == "scored":
                    scored.append((level, number, key))
                    self._add_evaluation(key, number, "search", 0, level, moment)
            parents = [number for _, number, _ in sorted(scored)[-2:]]
        finalists = sorted(scored)[-FINALISTS:]
        for level, number, key in finalists:
            for seed, apart in zip(CONFIRMATION, CONFIRMED_APART, strict=True):
                moment = created + timedelta(seconds=60.0 * iterations + seed)
                fitness = level - 0.05 + apart
                self._add_evaluation(key, number, "confirm", seed, fitness, moment)
        run = self.rows[Run][-1]
        if run["status"] in ("finished", "stopped") and finalists:
            level, number, _ = finalists[-1]
            run["result"] = result(number, level - 0.05, samples * iterations)

    def add_training(self, task: Task, name: str, reward: str) -> None:
        """A plain training of one of the task's own rewards."""
        config = TrainConfig(task=str(task.folder), reward=reward, steps=STEPS)
        created = self._add_run(name, "train", task, config.model_dump(mode="json"), "finished")
        source = reward_source(task, "expert")
        key = self._add_candidate(name, 0, 0, 0, source, [], "offline", "scored", origin=reward)
        level = 0.8 if reward == "expert" else 0.2
        for seed in CONFIRMATION:
            self._add_evaluation(key, 0, "confirm", seed, level, created + timedelta(seconds=seed))
        self.rows[Run][-1]["result"] = result(0, level, 1)

    def write(self, store: Store) -> None:
        """Write all rows, and the folders of the runs."""
        with store.engine.begin() as connection:
            for table, rows in self.rows.items():
                if rows:
                    connection.execute(insert(table), rows)
        for run in self.rows[Run]:
            store.run_folder(run["id"]).mkdir(exist_ok=True)

    def _add_run(self, name: str, kind: str, task: Task, config: Any, status: str) -> datetime:
        created = START + timedelta(minutes=31 * len(self.rows[Run]))
        self.rows[Run].append(
            {
                "id": name,
                "kind": kind,
                "task": task.name,
                "task_folder": str(task.folder.absolute()),
                "config": config,
                "status": status,
                "message": "no candidate could be trained" if status == "failed" else "",
                "result": None,
                "created": created,
                "updated": created,
                "seconds": 1234.5,
            }
        )
        return created

    def _fate(self, slot: int, samples: int) -> str:
        """A refusal, a failure, half of the rest dropped at rungs, the others scored."""
        if slot and slot % 19 == 0:
            return "refused"
        if slot and slot % 37 == 0:
            return "failed"
        return "pruned" if slot % 2 and samples > 2 else "scored"

    def _add_candidate(
        self,
        run: str,
        number: int,
        generation: int,
        slot: int,
        source: str,
        parents: list[int],
        model: str,
        status: str,
        origin: str = "",
    ) -> int:
        key = len(self.rows[Candidate]) + 1
        completion = None
        program = f"{source.rstrip()}\n# {run}, candidate {number}\n"
        if model != "offline":
            completion = len(self.rows[Completion]) + 1
            line = "- forward_velocity: of the torso along x, in metres per second, from -5 to 12\n"
            self.rows[Completion].append(
                {
                    "id": completion,
                    "run_id": run,
                    "generation": generation,
                    "purpose": "propose",
                    "model": model,
                    "messages": [
                        {"role": "system", "content": "You write reward functions."},
                        {"role": "user", "content": f"Run {run}.\n" + line * PROMPT_LINES},
                    ],
                    "text": line * ANSWER_LINES + f"```python\n{program}```\n",
                    "prompt_tokens": 2600,
                    "completion_tokens": 640,
                    "cost": 0.0042,
                    "seconds": 7.5,
                }
            )
        stopped = {
            "refused": "there is no variable `torso_hight`; did you mean `torso_height`?",
            "failed": "memory: the training needed more than 4 GiB",
            "pruned": "dropped after 25,000 steps: below the better half",
        }
        self.rows[Candidate].append(
            {
                "id": key,
                "run_id": run,
                "number": number,
                "generation": generation,
                "slot": slot,
                "origin": origin or ("model" if completion else "offline"),
                "source": program,
                "parents": parents,
                "note": "" if completion else "changed one weight of the best",
                "completion_id": completion,
                "status": status,
                "reason": stopped.get(status, ""),
                "findings": [
                    {
                        "level": "error",
                        "code": "unknown-variable",
                        "message": stopped["refused"],
                        "line": 3,
                        "column": 12,
                    }
                ]
                if status == "refused"
                else [],
            }
        )
        return key

    def _add_rungs(self, candidate: int, level: float, slot: int, *, pruned: bool) -> None:
        last = 1 + slot // 2 % len(RUNGS) if pruned else len(RUNGS)
        for rung, steps in enumerate(RUNGS[:last]):
            fitness = level * (1 - math.exp(-steps / 30_000))
            self.rows[Rung].append(
                {
                    "candidate_id": candidate,
                    "rung": rung,
                    "steps": steps,
                    "fitness": fitness,
                    "low": fitness - 0.04,
                    "high": fitness + 0.04,
                    "kept": not pruned or rung + 1 < last,
                }
            )

    def _add_evaluation(
        self, candidate: int, number: int, purpose: str, seed: int, level: float, moment: datetime
    ) -> None:
        own = "" if purpose == "search" else f"seed-{seed}/"
        self.rows[Evaluation].append(
            {
                "candidate_id": candidate,
                "purpose": purpose,
                "seed": seed,
                "steps": STEPS,
                "report": self._report(level, seed),
                "fitness": level,
                "score": {
                    "fitness": level,
                    "low": level - 0.03,
                    "high": level + 0.03,
                    "episodes": (level + 0.05 * self.rng.normal(size=EPISODES)).tolist(),
                    "success": 0.5,
                    "length": 812.0,
                },
                "policy": f"candidates/{number:04d}/{own}policy.safetensors",
                "seconds": 31.0,
                "finished": moment,
            }
        )

    def _report(self, level: float, seed: int) -> dict[str, Any]:
        """A training's report as the worker sends it."""
        noise = self.rng.normal(size=(CHECKPOINTS, len(COMPONENTS) + 1))
        checkpoints = []
        for i, row in enumerate(noise.tolist(), 1):
            progress = 1 - math.exp(-0.4 * i)
            checkpoints.append(
                {
                    "kind": "checkpoint",
                    "member": "",
                    "step": STEPS * i // CHECKPOINTS,
                    "seconds": 3.0 * i,
                    "episodes": 40,
                    "episode_return": 800 * level * progress,
                    "episode_length": 812.0,
                    "fitness": level * progress + 0.02 * row[0],
                    "success": progress / 2,
                    "noise": math.exp(-0.1 * i),
                    "components": {
                        name: {
                            "mean": (1 - 0.2 * k) * progress * level + 0.02 * row[k + 1],
                            "min": -1.0,
                            "max": 2.0,
                            "std": 0.2,
                            "share": 1 / len(COMPONENTS),
                        }
                        for k, name in enumerate(COMPONENTS)
                    },
                }
            )
        return {
            "seed": seed,
            "steps": STEPS,
            "seconds": 30.0,
            "environments": 64,
            "trainer": "ppo",
            "note": "",
            "checkpoints": checkpoints,
            "peak_memory": 412 * 2**20,
        }


def result(winner: int, fitness: float, candidates: int) -> dict[str, Any]:
    """What a finished run says of itself."""
    return {
        "winner": winner,
        "fitness": fitness,
        "low": fitness - 0.06,
        "high": fitness + 0.06,
        "confirmed": True,
        "seeds": list(CONFIRMATION),
        "human_normalised": (fitness - 0.2) / 0.6,
        "expert": 0.8,
        "sparse": 0.2,
        "candidates": candidates,
        "trainings": candidates,
        "environment_steps": candidates * STEPS,
        "execute_rate": 0.92,
        "refused": candidates // 20,
        "pruned": candidates // 2,
        "failed": candidates // 40,
        "repaired": 0,
        "prompt_tokens": 2600 * candidates,
        "completion_tokens": 640 * candidates,
        "cost": 0.0042 * candidates,
        "seconds": 1234.5,
        "steps": STEPS,
        "model_used": True,
        "models": {},
    }


def fill(runs_dir: Path, *, candidates: int, runs: int, large: int) -> str:
    """Fill a runs folder with ``candidates`` in so many ``runs``; gives the id of the one that has
    ``large`` (rounded to whole generations) of them."""
    crowd = Crowd()
    tasks = [load_task(name) for name in TASKS]
    samples = 120 if large >= 1200 else max(4, large // 4)
    iterations = large // samples
    trainings = runs // 10
    searches = runs - trainings - 1
    left = candidates - samples * iterations - trainings
    for k in range(trainings):
        task = tasks[k % len(tasks)]
        reward = "expert" if k // len(tasks) % 2 == 0 else "sparse"
        crowd.add_training(task, f"{task.name}-20260101-{k:06d}", reward)
    for k in range(searches):
        own = left // (searches - k)
        left -= own
        task = tasks[k % len(tasks)]
        across = 4 if own % 4 == 0 else 3 if own % 3 == 0 else 1
        crowd.add_search(
            task,
            f"{task.name}-20260102-{k:06d}",
            samples=own // across,
            iterations=across,
            model="offline" if k % 4 == 3 else "openai/gpt-4o",
            status=STATES[k % len(STATES)],
        )
    name = "hopper-forward-20260103-000000"
    crowd.add_search(
        tasks[1],
        name,
        samples=samples,
        iterations=iterations,
        model="openai/gpt-4o",
        status="finished",
    )
    with Store.open(runs_dir) as store:
        crowd.write(store)
    return name
