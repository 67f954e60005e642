# refused: line 3, column 5: match is not allowed; write xp.where(condition, a, b)
def compute_reward(pitch):
    match pitch:
        case xp:
            p = xp
    return pitch, {'p': pitch}
