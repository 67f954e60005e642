"""Sharing a request's token count out over its completions."""

from hypothesis import given
from hypothesis import strategies as st

from reward_synth.llm.chat import share_out


def test_tokens_follow_the_length_of_the_texts():
    assert share_out(100, [10, 30, 60]) == [10, 30, 60]


def test_empty_texts_share_equally():
    assert share_out(9, [0, 0, 0]) == [3, 3, 3]


@given(st.integers(0, 10**6), st.lists(st.integers(0, 10**5), min_size=1, max_size=20))
def test_nothing_is_lost(total, weights):
    shares = share_out(total, weights)
    assert sum(shares) == total
    assert min(shares) >= 0
