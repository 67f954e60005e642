HEIGHT_WEIGHT = 0.3
PUSH_WEIGHT = 0.1
BACKSLIDE_WEIGHT = 0.05


def compute_reward(pitch_velocity, torso_height, joint_velocities, forward_velocity, action):
    """OpenAI's hand-written back flip reward: turn backward, high up, pushing with the leg.

    From the article on Christiano et al. (2017).
    """
    turn = -pitch_velocity
    high = HEIGHT_WEIGHT * torso_height * turn
    push = PUSH_WEIGHT * xp.sum(action * joint_velocities, axis=-1) * turn
    backslide = -BACKSLIDE_WEIGHT * forward_velocity * turn
    return turn + high + push + backslide, {
        "turn": turn,
        "high": high,
        "push": push,
        "backslide": backslide,
    }
