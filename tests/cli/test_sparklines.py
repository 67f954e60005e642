"""Curves in a terminal."""

from reward_synth.cli.sparklines import sparkline


def test_a_block_for_each_value():
    assert sparkline([0.0, 1.0, 2.0, 7.0]) == "▁▂▃█"
    assert sparkline([-1.0, 1.0, -1.0]) == "▁█▁"
    assert sparkline([3.0, 3.0]) == "▄▄"
