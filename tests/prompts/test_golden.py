"""What the model is told, word for word, for a small fixed task.

After a wanted change, write the golden files anew and read the difference:

    python -m tests.prompts.test_golden && git diff tests/prompts/golden
"""

from pathlib import Path

import pytest

from reward_synth.feedback import describe, reflect
from reward_synth.search.prompts import improve_messages, initial_messages, repair_messages
from reward_synth.simulation.statistics import VariableStatistics
from sandbox.messages import ProbeFinding
from tests.feedback import examples
from tests.prompts.small_task import SIZES, TASK

GOLDEN = Path(__file__).parent / "golden"

STATISTICS = {
    "cart_position": VariableStatistics(0.0, 0.2, -1.0, 1.0, -0.312, 0.298, 0.01),
    "pole_up": VariableStatistics(-0.9, 0.1, -1.0, 0.4, -1.0, -0.6128, 0.02),
    "joint_velocities": VariableStatistics(0.0, 1.0, -9.0, 9.0, -2.5, 2.46, 0.3),
}

ANSWER = """\
The pole should be up.

```python
def compute_reward(pole_up, joint_velocity):
    up = np.exp(pole_up)
    return up, {"up": up}
```
"""

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
    repair = repair_messages(initial, ANSWER, FINDINGS)
    return {
        "system.md": initial[0].content,
        "task.md": initial[1].content,
        "improve.md": improve[-1].content,
        "behaviour.md": describe(examples.behaviour()),
        "reflection.md": reflection.strip(),
        "repair.md": repair[-1].content,
    }


@pytest.fixture(scope="module")
def now() -> dict[str, str]:
    return rendered()


@pytest.mark.parametrize(
    "name",
    ["system.md", "task.md", "improve.md", "behaviour.md", "reflection.md", "repair.md"],
)
def test_prompt_is_the_golden_one(name, now):
    assert now[name] + "\n" == (GOLDEN / name).read_text(encoding="utf-8")


if __name__ == "__main__":
    for name, text in rendered().items():
        (GOLDEN / name).write_text(text + "\n", encoding="utf-8")
