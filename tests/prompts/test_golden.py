"""What the model is told, word for word, for a small fixed task.

After a wanted change, write the golden files anew and read the difference:

    python -m tests.prompts.test_golden && git diff tests/prompts/golden
"""

from pathlib import Path

import pytest

from reward_synth.feedback import describe, reflect
from reward_synth.feedback.templates import prompts_folder, render
from reward_synth.search.eureka import ASKING
from reward_synth.search.prompts import (
    improve_messages,
    initial_messages,
    language_values,
    repair_messages,
)
from reward_synth.simulation.statistics import VariableStatistics
from sandbox.messages import ProbeFinding
from tests.feedback import examples
from tests.prompts.small_task import SIZES, TASK

GOLDEN = Path(__file__).parent / "golden"
SEEDS = "reflection-seeds.md"
"""The reflection once more, where a program was trained with several seeds."""

STATISTICS = {
    "cart_position": VariableStatistics(0.0, 0.2, -1.0, 1.0, -0.312, 0.298, 0.01, (-0.1, 0.1), ()),
    "pole_up": VariableStatistics(-0.9, 0.1, -1.0, 0.4, -1.0, -0.6128, 0.02, (-1.0, -0.99998), ()),
    "joint_velocities": VariableStatistics(0.0, 1.0, -9.0, 9.0, -2.5, 2.46, 0.3, (-0.5, 0.4), ()),
}

ANSWER = """\
The pole should be up.

```python
def compute_reward(pole_up, joint_velocity):
    up = np.exp(pole_up)
    return up, {"up": up}
```
"""

PROGRAM = """\
def compute_reward(pole_up):
    up = xp.exp(pole_up)
    return up, {"up": up}"""

FINDINGS = [
    ProbeFinding(
        level="error",
        code="unknown-variable",
        message="'joint_velocity' is not a variable of this task; did you mean 'joint_velocities'?",
        line=1,
        column=29,
    ),
    ProbeFinding(
        level="error",
        code="module",
        message="the module 'np' is not available; write xp.exp",
        line=2,
        column=10,
    ),
    ProbeFinding(level="error", code="non-finite", message="the total is NaN on 3% of states"),
    ProbeFinding(level="warning", code="unused-argument", message="pole_up is not used"),
]


POLE = {
    "name": "pole_up", "shape": "(N,)", "unit": "1", "doc": "1 is upright", "public": True,
    "start": "-1 to 1", "random": "-1 to -0.6",
}  # fmt: skip
WATCHED = {"name": 2, "here": False, "fitness": "0.31", "said": "Swing, then stay."}
ABOVE = {"name": 4, "here": True, "fitness": "0.41", "said": "Swing up and stay."}
PERSON = {
    "about_all": ["Keep the cart nearer to the centre."],
    "programs": [
        {**WATCHED, "comments": ["It drifts to the left.", "It is too fast."]},
        {**ABOVE, "comments": ["Good, but it trembles."]},
    ],
    "ranking": [[ABOVE], [WATCHED, {**WATCHED, "name": 5, "said": "", "fitness": None}]],
}


def rendered() -> dict[str, str]:
    """The last message of each kind of prompt, by the template that it comes from."""
    initial = initial_messages(TASK, SIZES, STATISTICS)
    improve = improve_messages(initial, ANSWER, "Fitness rose from 0.1 to 0.4.\n")
    reflection = reflect(
        examples.TASK,
        examples.troubled(),
        examples.score(length=420.0, success=0.625),
        examples.behaviour(),
        examples.history(),
    )
    seeds = reflect(
        examples.TASK,
        examples.report(run=examples.LEARNING),
        examples.score(),
        examples.behaviour(),
        examples.seeds(),
        best=examples.behaviour(),
    )
    repair = repair_messages(initial, ANSWER, FINDINGS)
    task = initial[1].content.partition(ASKING)[0].strip()
    program = {"task": task, "program": PROGRAM, "measured": True}
    rose = "Fitness rose from 0.1 to 0.4."
    one = {"program": PROGRAM, "measure": "fitness 0.41", "reflection": rose}
    example = {"description": "Reach the ball.", "fitness_doc": "share of hits", "program": PROGRAM}
    others = {
        "card/trajectories": {
            "good": "an episode of program 2 with fitness 0.41, which lasted 250 control steps, "
            "gets 31.2 (up 30.1, calm 1.1)",
            "bad": "an episode of program 2 with fitness 0.02, which ended early after 12 control "
            "steps, gets 2.4 (up 2.3, calm 0.1)",
            "agreement": "83 %",
            "pairs": 41,
        },
        "auto-mc-reward/designer": {},
        "auto-mc-reward/critic": program,
        "auto-mc-reward/analyst": {**program, "behaviour": describe(examples.behaviour()).strip()},
        "auto-mc-reward/improve": {"analysis": "The pole hangs.\n- Pay for swinging."},
        "text2reward/examples": {"examples": [example, example]},
        "text2reward/feedback": {
            "text": "Keep the cart\nnearer to the centre.", "fitness": "0.41", "low": "0.38",
            "high": "0.44",
        },
        "authoring/system": language_values(),
        "authoring/task": {
            "sentence": "Swing the pole up.", "world": "The model cart.xml",
            "ends": "The cart has hit an end of the rail.",
            "control_step": "0.04", "episode_steps": 250, "episode_seconds": "10",
            "variables": [POLE, {**POLE, "name": "hinge_angle", "public": False, "start": ""}],
        },
        "authoring/words": {"described": False, "most": 1000},
        "authoring/fitness": {"fitness_doc": "share of steps upright"},
        "authoring/success": {"fitness_doc": "share of steps upright", "success_doc": ""},
        "authoring/repair": {"faults": ["over.up: Field required", "the program is empty"]},
        "islands/mutate": {"reflection": one["reflection"]},
        "islands/cross": {"first": one, "second": one},
    }  # fmt: skip
    told = {
        f"{name.replace('/', '-')}.md": render(f"{name}.md.j2", None, **values).strip()
        for name, values in others.items()
    }
    return told | {
        "system.md": initial[0].content,
        "language.md": render("eureka/language.md.j2", None, **language_values()).strip(),
        "task.md": initial[1].content,
        "improve.md": improve[-1].content,
        "behaviour.md": describe(examples.behaviour()),
        "reflection.md": reflection.strip(),
        SEEDS: seeds.strip(),
        "repair.md": repair[-1].content,
        "person.md": render("eureka/person.md.j2", None, **PERSON).strip(),
    }


@pytest.fixture(scope="module")
def now() -> dict[str, str]:
    return rendered()


@pytest.mark.parametrize("name", sorted(path.name for path in GOLDEN.iterdir()))
def test_prompt_is_the_golden_one(name, now):
    assert now[name] + "\n" == (GOLDEN / name).read_text(encoding="utf-8")


def test_every_template_has_a_golden_file():
    templates = prompts_folder().glob("*/*.md.j2")
    names = {
        path.name.removesuffix(".j2")
        if path.parent.name == "eureka"
        else f"{path.parent.name}-{path.name.removesuffix('.j2')}"
        for path in templates
    }
    assert names == {path.name for path in GOLDEN.iterdir()} - {SEEDS}


if __name__ == "__main__":
    for name, text in rendered().items():
        (GOLDEN / name).write_text(text + "\n", encoding="utf-8")
