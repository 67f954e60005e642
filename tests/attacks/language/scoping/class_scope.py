# refused: line 3, column 5: classes are not allowed; write plain functions
def compute_reward(pitch):
    class C:
        p = __build_class__
    return pitch, {'p': pitch}
