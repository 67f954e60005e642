CENTRE_MARGIN = 2.0
EFFORT_MARGIN = 1.0
SPEED_MARGIN = 5.0


def compute_reward(pole_up, cart_position, pole_velocity, action):
    """The Control Suite's smooth swing-up reward: upright, centred, little force, held still."""
    upright = (1.0 + pole_up) / 2.0
    centred = (1.0 + tolerance(cart_position, margin=CENTRE_MARGIN)) / 2.0
    effort = tolerance(action[:, 0], margin=EFFORT_MARGIN, value_at_margin=0.0, sigmoid="quadratic")
    gentle = (4.0 + effort) / 5.0
    still = (1.0 + tolerance(pole_velocity, margin=SPEED_MARGIN)) / 2.0
    total = upright * centred * gentle * still
    return total, {"upright": upright, "centred": centred, "gentle": gentle, "still": still}
