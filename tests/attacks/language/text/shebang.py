# harmless: a comment: programs are read, and never started
#!/bin/sh -c id
def compute_reward(pitch):
    return pitch, {'p': pitch}
