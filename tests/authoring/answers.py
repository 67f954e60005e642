"""Answers of a language model that writes a task."""

import json
from typing import Any

CENTRED = """\
WIDE = 0.5


def compute_reward(cart_position, pole_angle):
    centred = xp.where((xp.abs(cart_position) < WIDE) & (xp.abs(pole_angle) < 0.2), 1.0, 0.0)
    return centred, {"centred": centred}
"""
FITNESS = {"doc": "share of a full episode near the middle", "over": {"centred": "mean"}}
SUCCESS = {
    "doc": "a full episode ends near the middle",
    "over": {"centred": "last"},
    "at_least": 0.5,
    "whole_episode": True,
}
WORDS = {
    "variables": {
        "cart_position": {"doc": "position along the rail; 0 is the middle", "unit": "m"},
        "pole_angle": {"unit": "rad"},
    }
}


def answer(document: Any, program: str | None = None) -> str:
    """An answer in the form that is asked for."""
    text = f"The pole should stay in the middle.\n\n```json\n{json.dumps(document)}\n```\n"
    return text if program is None else f"{text}\n```python\n{program}```\n"


GOOD = [answer(WORDS), answer(FITNESS, CENTRED), answer(SUCCESS, CENTRED)]
"""All three parts of a task on CartPole-v1."""
