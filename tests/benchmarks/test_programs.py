"""The reward programs that the benchmarks rank."""

from pathlib import Path

import pytest

import benchmarks.physics
from reward_synth.reward import parse, read_program
from reward_synth.simulation import task_spec
from reward_synth.simulation.mujoco_cpu import MujocoSimulator
from reward_synth.task import load_task

COUNTS = {
    "ant-forward": 8,
    "cartpole-swingup": 16,
    "cheetah-run": 16,
    "hopper-forward": 16,
    "reacher-reach": 16,
}


def files(task: str) -> list[Path]:
    return benchmarks.physics.programs_of(task)


def test_there_are_programs_for_each_task():
    folders = {folder.name for folder in benchmarks.physics.PROGRAMS.iterdir()}
    assert {task: len(files(task)) for task in folders} == COUNTS


@pytest.mark.parametrize("task", COUNTS)
def test_programs_are_right_and_differ(task: str):
    loaded = load_task(task)
    simulator = MujocoSimulator(loaded, 1)
    sizes = task_spec(loaded).readable
    simulator.close()
    programs = [parse(read_program(file), sizes) for file in files(task)]
    assert len({program.digest for program in programs}) == COUNTS[task]
    assert all(program.docstring for program in programs)
