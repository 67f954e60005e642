"""The HTTP client for servers that nobody vouches for: no reply fills the memory."""

from collections.abc import Iterator

import httpx
import openai

from reward_synth.llm.faults import BadReply

LONGEST_REPLY = 32 * 2**20
"""Bytes; a thousand times the longest completions of a request for sixteen programs."""


class BoundedStream(httpx.SyncByteStream):
    """A reply's body, as long as it is not longer than it may be."""

    def __init__(self, stream: httpx.SyncByteStream) -> None:
        self.stream = stream

    def __iter__(self) -> Iterator[bytes]:
        received = 0
        for chunk in self.stream:
            received += len(chunk)
            if received > LONGEST_REPLY:
                raise BadReply(f"a reply of more than {LONGEST_REPLY // 2**20} MiB")
            yield chunk

    def close(self) -> None:
        self.stream.close()


def bound(response: httpx.Response) -> None:
    """Limit what will be read of a response.

    A compressed one, which was not asked for, would be bounded before it unfolds only.
    """
    if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise BadReply("a compressed reply")
    assert isinstance(response.stream, httpx.SyncByteStream)
    response.stream = BoundedStream(response.stream)


def bounded_client() -> httpx.Client:
    """The openai client's own kind of HTTP client, with bounded replies."""
    return openai.DefaultHttpxClient(
        headers={"Accept-Encoding": "identity"}, event_hooks={"response": [bound]}
    )
