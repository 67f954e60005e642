# refused: line 4,
def compute_reward(pitch):
	if 1:
        p = pitch
    return pitch, {'p': pitch}
