"""The benchmark of populations of different sizes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import scaling


def test_time_and_memory_are_measured_and_drawn(tmp_path: Path):
    result = scaling.measure((1, 2), rounds=1, rollouts=1)
    assert result["sizes"] == [1, 2]
    rows = result["one_worker"]
    for speed, seconds in zip(
        rows["steps_per_second"], rows["seconds_per_million_steps"], strict=True
    ):
        assert seconds == pytest.approx(1e6 / speed, rel=0.01)
    assert all(50 < memory < 4000 for memory in rows["peak_memory_mib"])
    plot = tmp_path / "scaling.svg"
    scaling.draw(result, plot)
    assert "K, candidates in a worker" in plot.read_text()


def test_a_search_tells_its_memory():
    result = scaling.thousand(samples=2)
    assert result["rows"][-1]["candidates"] == 8
    assert result["rows"][-1]["search_mib"] > 10
    assert result["rows"][-1]["processes"] >= 1


def test_memory_is_that_of_own_processes():
    held = "x = bytearray(100 * 2**20); print(flush=True); input()"
    child = subprocess.Popen(
        [sys.executable, "-c", held], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert child.stdout is not None
        child.stdout.readline()
        own, others = scaling.memory()
        assert any(100 * 2**20 < other < 200 * 2**20 for other in others)
        assert 10 * 2**20 < own < os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    finally:
        child.kill()
        child.communicate()


def test_what_cannot_be_drawn_is_refused_first(tmp_path: Path, capsys):
    with pytest.raises(SystemExit) as ended:
        scaling.main(["--plot", str(tmp_path / "scaling.txt")])
    assert ended.value.code == 2
    assert "is to end in .png or .svg" in capsys.readouterr().err
