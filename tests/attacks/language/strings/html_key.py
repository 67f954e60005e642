# refused: line 3, column 20: the component's name '<script>alert(1)</script>' is not an identifier;
def compute_reward(pitch):
    return pitch, {'<script>alert(1)</script>': pitch}
