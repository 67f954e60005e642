# harmless: a docstring is text: nothing expands it
def compute_reward(pitch):
    """$(id) `id` ; id {0.__class__} %(x)s {{ config }} <script>alert(1)</script>"""
    return pitch, {'p': pitch}
