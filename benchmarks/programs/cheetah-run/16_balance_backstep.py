RETREAT = -1.0


def compute_reward(forward_velocity, pitch, torso_height):
    """Brace: lean back and hold a steady negative velocity to avoid tipping over."""
    pace = tolerance(
        forward_velocity,
        bounds=(RETREAT, RETREAT),
        margin=1.5,
        sigmoid="linear",
        value_at_margin=0.0,
    )
    lean = 0.2 * xp.exp(-(((pitch + 0.2) / 0.5) ** 2))
    height = 0.2 * smooth_step(torso_height, 0.3, 0.6)
    return pace + lean + height, {"pace": pace, "lean": lean, "height": height}
