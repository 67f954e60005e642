"""A small task on a model that ships in gymnasium, which no change to the built-in tasks moves."""

from reward_synth.task import (
    Derived,
    Episode,
    GymnasiumModel,
    JointPosition,
    JointVelocity,
    Task,
    Variable,
)


def terminated(v, xp):
    """The cart has hit an end of the rail.

    (This paragraph is for readers of the code.)
    """
    return xp.abs(v["cart_position"]) > 0.99


def fitness(episode: Episode) -> float:
    secret_weight = 7.25
    return secret_weight * float(episode["pole_up"].mean())


TASK = Task(
    description="Swing the pole up\n  and keep it there.",
    model=GymnasiumModel("inverted_pendulum.xml"),
    variables={
        "cart_position": Variable("position along the rail", "m", JointPosition("slider")),
        "hinge_angle": Variable("angle, not wrapped", "rad", JointPosition("hinge"), public=False),
        "pole_up": Variable(
            "cosine of the pole's angle;\n    1 is upright",
            "",
            Derived(lambda v, xp: xp.cos(v["hinge_angle"])),
        ),
        "joint_velocities": Variable(
            "of slider (m/s) and hinge (rad/s)", "m/s, rad/s", JointVelocity("slider", "hinge")
        ),
    },
    observation=("cart_position", "pole_up", "joint_velocities"),
    frame_skip=2,
    episode_steps=250,
    reset=lambda rng, n: (rng.uniform(-0.1, 0.1, (n, 2)), rng.uniform(-0.1, 0.1, (n, 2))),
    terminated=terminated,
    fitness=fitness,
    fitness_doc="mean uprightness over the episode.",
    training_steps=100_000,
)

SIZES = {
    "cart_position": None,
    "hinge_angle": None,
    "pole_up": None,
    "joint_velocities": 2,
    "action": 1,
}
