"""A real HTTP server on the loopback interface that answers like an OpenAI-compatible provider.

    with CompletionServer(read_recordings("hopper-forward")) as server:
        connect("openai/test", server.base_url)

Requests for new completions get the recordings' texts in order, again from the first when they
are used up.  A request that sends a refused text back (its last assistant message) gets the
repair that was recorded for it.
"""

import contextlib
import gzip
import itertools
import json
import select
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict

from reward_synth.search.prompts import NO_ANSWER

RECORDINGS = Path(__file__).parent / "recordings"

Fault = Literal[
    "429", "date", "quota", "500", "cut", "half", "html", "list", "bare", "slow", "huge", "zip",
    "400", "401", "403", "404", "echo", "later", "reset", "silent",
    "empty", "prose", "blocks", "refusal",
]  # fmt: skip
"""A status; a 429 whose ``Retry-After`` is a ``date``, now; a body ``cut`` half way, or that ends
after ``half`` of its JSON, or that is ``html``, or a JSON ``list``, or a choice that is ``bare`` of
a message, or ``huge`` (1 GB), or a ``zip`` bomb; an answer 3 s late (``slow``); an account without
credit (``quota``); a 500 that repeats all headers of the request (``echo``); a 429 that asks for a
second (``later``); a connection that is ``reset``, or ``silent`` until the client gives up, 30 s at
most; or an odd answer (``ODD``)."""
PROGRAM = "def compute_reward(pole_up):\n    return SCALE * pole_up, {'up': SCALE * pole_up}\n"
BLOCKS = (
    "First a draft:\n\n```python\ndef compute_reward(pole_up):\n    return pole_up\n```\n"
    "It needs a scale:\n\n```python\nSCALE = 2.0\n```\n"
    f"So this is the answer:\n\n```python\n{PROGRAM}```\nGood luck."
)
ODD = {
    "empty": "",
    "prose": "The pole has to be held upright by the cart. " * 4500,
    "blocks": BLOCKS,
    "refusal": "I am sorry, but I cannot help with that.",
}
"""Answers of a model that is not up to its task; the program in the blocks is for a pole."""


class Answer(BaseModel):
    """One text, and whether its program passes the gate."""

    model_config = ConfigDict(extra="forbid")

    text: str
    expect: Literal["ok", "refused"]


class Recording(Answer):
    """A completion, what is special about it, and what the model answers when it comes back."""

    name: str
    repairs: list[Answer] = []
    """First and second answer to the repair prompt; empty for a program that is right."""

    @property
    def outcome(self) -> Literal["ok", "refused"]:
        """Whether a right program comes out within two repairs."""
        return (self.repairs or [self])[-1].expect


def read_recordings(task: str) -> list[Recording]:
    """The recorded completions for ``task``, in the order in which the server gives them."""
    lines = (RECORDINGS / f"{task}-completions.jsonl").read_text(encoding="utf-8").splitlines()
    return [Recording.model_validate_json(line) for line in lines]


def tokens(text: str) -> int:
    """How the server counts tokens: four characters each."""
    return max(1, len(text) // 4)


class PatientServer(ThreadingHTTPServer):
    """Says nothing of clients that hung up, or were killed."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class CompletionServer:
    """Answers ``/v1/models`` and ``/v1/chat/completions`` while its ``with`` block lasts."""

    def __init__(
        self,
        completions: Sequence[Recording] | Sequence[str],
        *,
        faults: Iterable[Fault | None] = (),
        most_choices: int | None = None,
        single_only: bool = False,
        key: str | None = None,
        remember: bool = False,
    ) -> None:
        """``faults`` are played one per request, None meaning none (``itertools.repeat`` for
        ever); ``most_choices`` caps the choices of a reply below n; ``single_only`` refuses
        n > 1 with 400; ``key`` is the only key accepted; with ``remember`` a request that was
        seen before gets the same answers again, as a killed and resumed client needs it."""
        self.requests: list[dict[str, Any]] = []
        """Bodies of all completion requests, faulty ones included."""
        self.keys: list[str | None] = []
        """The Authorization header of each."""
        self.prompt_tokens = 0
        self.completion_tokens = 0
        """What was billed: the sums over all replies."""
        self.billed: list[tuple[int, int]] = []
        """Prompt and completion tokens of each reply."""
        texts = [c if isinstance(c, str) else c.text for c in completions]
        self._proposals = itertools.cycle(texts)
        self._repairs: dict[str, str] = {}
        for recording in completions:
            if isinstance(recording, Recording):
                chain = [recording.text, *(answer.text for answer in recording.repairs)]
                self._repairs.update(itertools.pairwise(chain))
        self._faults: Iterator[Fault | None] = iter(faults)
        self._most_choices = most_choices
        self._single_only = single_only
        self._key = key
        self._seen: dict[str, list[str]] | None = {} if remember else None
        self._lock = threading.Lock()
        self._http = PatientServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def texts(self, request: dict[str, Any]) -> list[str]:
        """The completions that answer ``request``."""
        n = request.get("n") or 1
        if self._most_choices is not None:
            n = min(n, self._most_choices)
        identity = json.dumps(request, sort_keys=True)
        if self._seen is not None and identity in self._seen:
            return self._seen[identity]
        said = [m["content"] for m in request["messages"] if m["role"] == "assistant"]
        sent_back = said[-1] if said else None
        if sent_back == NO_ANSWER:
            sent_back = ""
        if sent_back in self._repairs:
            texts = [self._repairs[sent_back]] * n
        else:
            texts = list(itertools.islice(self._proposals, n))
        if self._seen is not None:
            self._seen[identity] = texts
        return texts

    def reply(self, request: dict[str, Any], odd: str | None = None) -> dict[str, Any]:
        """The body of a chat completion; each text is ``odd`` where that is given."""
        texts = self.texts(request) if odd is None else [odd] * (request.get("n") or 1)
        prompt = sum(tokens(message["content"]) for message in request["messages"])
        completion = sum(map(tokens, texts))
        self.prompt_tokens += prompt
        self.completion_tokens += completion
        self.billed.append((prompt, completion))
        return {
            "id": f"chatcmpl-{len(self.requests)}",
            "object": "chat.completion",
            "created": 0,
            "model": request["model"],
            "choices": [
                {
                    "index": k,
                    "finish_reason": "stop",
                    "message": {"role": "assistant", "content": text},
                }
                for k, text in enumerate(texts)
            ],
            "usage": {
                "prompt_tokens": prompt,
                "completion_tokens": completion,
                "total_tokens": prompt + completion,
            },
        }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: object) -> None:
                pass

            def do_GET(self) -> None:
                key = self.headers.get("Authorization")
                self.close_connection = True  # else a client could go on after the block's end
                if server._key is not None and key != f"Bearer {server._key}":
                    self.refuse(401, f"Incorrect API key provided: {key}")
                elif self.path == "/v1/models":
                    self.send(200, {"object": "list", "data": [{"id": "test", "object": "model"}]})
                else:
                    self.refuse(404, f"no such path: {self.path}")

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                key = self.headers.get("Authorization")
                if self.path != "/v1/chat/completions":
                    self.refuse(404, f"no such path: {self.path}")
                    return
                request = json.loads(raw)
                with server._lock:
                    server.requests.append(request)
                    server.keys.append(key)
                    fault = next(server._faults, None)
                    if server._key is not None and key != f"Bearer {server._key}":
                        fault = "401"
                    elif server._single_only and (request.get("n") or 1) > 1:
                        fault = "400"
                    answered = fault in (None, "cut", "half", "slow", *ODD)
                    body = server.reply(request, ODD.get(fault or "")) if answered else {}
                if fault == "slow":
                    time.sleep(3)
                if fault in (None, "slow", *ODD):
                    self.send(200, body)
                elif fault == "reset":
                    # Without lingering, closing a socket sends RST.
                    linger = struct.pack("ii", 1, 0)
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    self.connection.close()
                    self.close_connection = True
                elif fault == "silent":
                    select.select([self.connection], [], [], 30)  # readable when it hangs up
                    self.close_connection = True
                elif fault == "cut":
                    self.send(200, body, cut=True)
                elif fault == "half":
                    text = json.dumps(body)
                    self.send(200, text[: len(text) // 2], media="application/json")
                elif fault == "html":
                    self.send(200, "<html>Bad gateway</html>")
                elif fault == "list":
                    self.send(200, "[]", media="application/json")
                elif fault == "huge":
                    self.send_endlessly()
                elif fault == "zip":
                    bomb = gzip.compress(bytes(2**26), 1)
                    self.send(200, bomb, headers={"Content-Encoding": "gzip"})
                elif fault == "bare":
                    self.send(200, {"choices": [{"index": 0}]})
                elif fault == "echo":
                    self.refuse(500, f"cannot serve {self.headers.items()}", code=key)
                elif fault == "date":
                    self.refuse(429, "slow down", retry_after=formatdate(usegmt=True))
                elif fault == "later":
                    self.refuse(429, "slow down", retry_after="1")
                elif fault == "429":
                    self.refuse(429, "slow down", retry_after="0")
                elif fault == "quota":
                    self.refuse(429, "You exceeded your current quota", code="insufficient_quota")
                elif fault == "401":
                    self.refuse(401, f"Incorrect API key provided: {key}")
                elif fault == "403":
                    self.refuse(403, f"{key} may not use this model")
                elif fault == "404":
                    self.refuse(404, f"The model {request['model']!r} does not exist")
                elif fault == "400":
                    self.refuse(400, "only n = 1 is supported")
                else:
                    self.refuse(500, "internal error")

            def refuse(
                self,
                status: int,
                message: str,
                *,
                code: str | None = None,
                retry_after: str | None = None,
            ) -> None:
                error = {"message": message, "type": "error", "param": None, "code": code}
                headers = {} if retry_after is None else {"Retry-After": retry_after}
                self.send(status, {"error": error}, headers=headers)

            def send(
                self,
                status: int,
                body: dict[str, Any] | str | bytes,
                *,
                media: str | None = None,
                headers: dict[str, str] | None = None,
                cut: bool = False,
            ) -> None:
                if media is None:
                    media = "text/html" if isinstance(body, str) else "application/json"
                text = json.dumps(body) if isinstance(body, dict) else body
                data = text.encode() if isinstance(text, str) else text
                self.send_response(status)
                self.send_header("Content-Type", media)
                self.send_header("Content-Length", str(len(data)))
                if self.close_connection:
                    self.send_header("Connection", "close")
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.end_headers()
                with contextlib.suppress(BrokenPipeError):  # the client gave up waiting
                    self.wfile.write(data[: len(data) // 2] if cut else data)
                if cut:
                    self.close_connection = True

            def send_endlessly(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(2**30))
                self.end_headers()
                with contextlib.suppress(ConnectionError):  # the client has had enough
                    for _ in range(2**30 // 2**20):
                        self.wfile.write(b" " * 2**20)
                self.close_connection = True

        return Handler
