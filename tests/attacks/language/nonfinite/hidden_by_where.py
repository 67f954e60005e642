# harmless: NaN that stays inside is a number like others
def compute_reward(pitch):
    p = xp.where(xp.isnan(xp.log(-xp.abs(pitch))), 1.0, 0.0)
    return p, {'p': p}
