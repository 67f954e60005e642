def compute_reward(box_to_goal, pusher_to_box, prev_box_to_goal, action):
    """Get behind the box, move it towards the goal, stay there."""
    left = xp.sqrt(xp.sum(box_to_goal**2, axis=-1) + 1e-8)
    before = xp.sqrt(xp.sum(prev_box_to_goal**2, axis=-1) + 1e-8)
    away = xp.sqrt(xp.sum(pusher_to_box**2, axis=-1) + 1e-8)
    progress = 30.0 * (before - left)
    reach = -0.5 * xp.maximum(away - 0.06, 0.0)
    behind = 0.1 * xp.sum(pusher_to_box * box_to_goal, axis=-1) / (away * left)
    there = tolerance(left, bounds=(0.0, 0.03), margin=0.1)
    effort = -0.005 * xp.sum(action**2, axis=-1)
    total = progress + reach + behind + there + effort
    return total, {
        "progress": progress,
        "reach": reach,
        "behind": behind,
        "there": there,
        "effort": effort,
    }
