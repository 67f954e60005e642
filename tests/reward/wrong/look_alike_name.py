# line 4, column 5: the name 'vеlocity' holds CYRILLIC SMALL LETTER IE; spell names with a-z, A-Z,
# line 5, column 12: the name 'vеlocity' holds CYRILLIC SMALL LETTER IE; spell names with a-z,
def compute_reward(forward_velocity):
    vеlocity = forward_velocity
    return vеlocity, {"run": forward_velocity}
