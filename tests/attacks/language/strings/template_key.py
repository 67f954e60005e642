# refused: line 3, column 20: the component's name '{{ 7 * 7 }}' is not an identifier; use letters, 
def compute_reward(pitch):
    return pitch, {'{{ 7 * 7 }}': pitch}
