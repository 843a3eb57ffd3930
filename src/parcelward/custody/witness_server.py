"""A stand-alone witness over HTTP: its own key, its own state, the standard library's server.

folder/witness.key                  32 bytes, the seed of its Ed25519 key; mode 0600; made at the first start
folder/<SHA-256 of origin>.note     the newest checkpoint of one log, cosigned: how far it was seen to grow
folder/<SHA-256 of origin>.keys     how the keys of one log followed each other, as it was learned from the log
folder/lock                         held while it runs: two witnesses with one key could sign two histories
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import sys
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Final

from parcelward.base.errors import Invalid
from parcelward.custody import durable, keys, succession, witness
from parcelward.custody.errors import BadKey, LogInUse, ProofFailed, WitnessRefused
from parcelward.custody.keys import SignatureType, Signer

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable, Sequence

    from parcelward.custody.checkpoints import Checkpoint
    from parcelward.custody.succession import Link

CONNECTIONS_MAX: Final = 64
IDLE_S_MAX: Final = 10.0
LEARN_S: Final = 3600.0  # a replaced key signs for a day at least
_MONITORED = re.compile(r"/([0-9a-f]{64})/checkpoint", re.ASCII)


class WitnessState:
    """What a witness knows and may sign. One lock makes compare, store and answer one step (the protocol's demand)."""

    def __init__(self, folder: Path, *, name: str, log_vkeys: Sequence[str]) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._locked_by = durable.hold_lock(folder / "lock")
        if self._locked_by is None:
            raise LogInUse("Another witness runs on this folder.")
        self.logs: witness.Logs = witness.trusted_logs(keys.vkeys_in("\n".join(log_vkeys)))
        self.signer = Signer(keys.key_name(name), SignatureType.COSIGNATURE, _seed(folder / "witness.key"))
        self._deciding = threading.Lock()
        self._seen: dict[str, Checkpoint] = {}
        self._links: dict[str, tuple[Link, ...]] = {}
        for origin in self.logs:
            note = self.note(_origin_hash(origin))
            if note is not None:
                self._seen[origin] = witness.remembered(note, signer=self.signer)
            learned = folder / f"{_origin_hash(origin)}.keys"
            if learned.exists():
                self.learn(learned.read_bytes())

    def close(self) -> None:
        """Let another process use the folder."""
        if self._locked_by is not None:
            os.close(self._locked_by)
            self._locked_by = None

    def add(self, body: bytes, *, timestamp_s: int) -> bytes:
        """Return the cosignature lines for an add-checkpoint request, stored first; raise WitnessRefused."""
        request = witness.parse_request(body)
        origin = witness.origin_of(request, self.logs)
        with self._deciding:
            cosigned = witness.update(
                self._seen.get(origin),
                request,
                logs=self.logs,
                signer=self.signer,
                timestamp_s=timestamp_s,
                links=self._links.get(origin, ()),
            )
            durable.write_file(self._folder / f"{_origin_hash(origin)}.note", cosigned.note)
            self._seen[origin] = cosigned.checkpoint
        return cosigned.answer

    def learn(self, data: bytes) -> bool:
        """Take the keys that follow one we know, by what a log's /log/succession answers; return whether any is new.

        From then on only the last of them counts for checkpoints that cover its entry. Raises ProofFailed or another
        Invalid for what is not proven. A chain that holds no key of ours, or less than we know, teaches nothing.
        """
        links = succession.read(data)
        origin = links[0].said.origin if links else ""
        chain = succession.chain_keys([each.said for each in links])
        with self._deciding:
            known, before = self.logs.get(origin, ()), [each.said for each in self._links.get(origin, ())]
            if not any(each in known for each in chain) or len(links) <= len(before):
                return False
            if [each.said for each in links[: len(before)]] != before:
                raise ProofFailed("The log's keys followed each other in another way when they were learned.")
            first = min(at for at, each in enumerate(chain) if each in known)
            self.logs = {**self.logs, origin: (*known, *(each for each in chain[first:] if each not in known))}
            self._links[origin] = links
            durable.write_file(self._folder / f"{_origin_hash(origin)}.keys", data)
        return True

    def note(self, origin_hash: str) -> bytes | None:
        """Return the newest cosigned checkpoint of the log with this origin hash (lower-case hex), or None."""
        try:
            return (self._folder / f"{origin_hash}.note").read_bytes()
        except FileNotFoundError:
            return None


class WitnessServer(ThreadingHTTPServer):
    """The HTTP server: `POST /add-checkpoint`, `GET /vkey`, `GET /<origin hash>/checkpoint`."""

    daemon_threads = True
    request_queue_size = CONNECTIONS_MAX

    def __init__(self, address: tuple[str, int], state: WitnessState, clock: Callable[[], float]) -> None:
        self.state = state
        self.clock = clock
        self._free = threading.BoundedSemaphore(CONNECTIONS_MAX)
        super().__init__(address, _Handler)

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Serve a connection in its own thread, unless too many are open already: then it is closed unserved."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        """Serve one connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()


class _Handler(BaseHTTPRequestHandler):
    server: WitnessServer
    protocol_version = "HTTP/1.1"
    server_version = "parcelward-witness"
    sys_version = ""
    timeout = IDLE_S_MAX

    def do_GET(self) -> None:
        state = self.server.state
        monitored = _MONITORED.fullmatch(self.path)
        note = state.note(monitored[1]) if monitored else None
        if self.path == "/vkey":
            self._answer(HTTPStatus.OK, f"{state.signer.verifier.vkey}\n".encode())
        elif note is not None:
            self._answer(HTTPStatus.OK, note)
        else:
            self._answer(HTTPStatus.NOT_FOUND, b"Nothing here.\n")

    def do_POST(self) -> None:
        body = self._body()
        if body is None:
            return
        if self.path != "/add-checkpoint":
            self._answer(HTTPStatus.NOT_FOUND, b"Nothing here.\n")
            return
        try:
            self._answer(HTTPStatus.OK, self.server.state.add(body, timestamp_s=int(self.server.clock())))
        except WitnessRefused as refusal:
            if refusal.size is None:
                self._answer(HTTPStatus(refusal.answer_status), f"{refusal.message}\n".encode())
            else:
                size = f"{refusal.size}\n".encode()
                self._answer(HTTPStatus(refusal.answer_status), size, content_type=witness.SIZE_TYPE)

    def _body(self) -> bytes | None:
        """Return the request's body; answer and return None when its length is not stated or too large."""
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            self._answer(HTTPStatus.LENGTH_REQUIRED, b"State the length.\n")
            return None
        if len(length) > len(str(witness.REQUEST_BYTES_MAX)) or int(length) > witness.REQUEST_BYTES_MAX:
            self.close_connection = True
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, b"Too large.\n")
            return None
        return self.rfile.read(int(length))

    def _answer(self, status: HTTPStatus, body: bytes, *, content_type: str = witness.TEXT_TYPE) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's own name for it
        """Say nothing: requests hold nothing that their answers do not."""


def make_witness(
    *,
    port: int,
    folder: Path | str,
    log_vkeys: Sequence[str],
    name: str,
    bind: str = "127.0.0.1",
    clock: Callable[[], float] = time.time,
) -> WitnessServer:
    """Return a witness that listens (port 0: any free one, see `server_port`) and is started with `serve_forever`.

    Raises LogInUse when one runs on this folder already, BadKey for keys that are not, OSError when the port is taken,
    BadNote when its state was not written by its key.
    """
    state = WitnessState(Path(folder), name=name, log_vkeys=log_vkeys)
    try:
        return WitnessServer((bind, port), state, clock)
    except BaseException:
        state.close()
        raise


def serve_witness(
    *,
    port: int,
    folder: Path | str,
    log_vkeys: Sequence[str],
    name: str,
    bind: str = "127.0.0.1",
    successions: Callable[[], Iterable[bytes]] = tuple,
) -> None:
    """Run a witness until it is interrupted; prints its verifier key and address first. Raises like `make_witness`.

    `successions` is asked every hour for what the logs say of their keys.
    """
    with make_witness(port=port, folder=folder, log_vkeys=log_vkeys, name=name, bind=bind) as server:
        sys.stdout.write(f"{server.state.signer.verifier.vkey}\nhttp://{bind}:{server.server_port}\n")
        sys.stdout.flush()
        threading.Thread(target=_keep_learning, args=(server.state, successions), daemon=True).start()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass
        finally:
            server.state.close()


def _keep_learning(state: WitnessState, successions: Callable[[], Iterable[bytes]]) -> None:
    while True:
        for data in successions():
            try:
                if state.learn(data):
                    sys.stdout.write("a log has a new key, which the old one vouches for\n")
                    sys.stdout.flush()
            except (Invalid, OSError) as err:
                sys.stderr.write(f"what a log says of its keys does not hold: {err}\n")
        time.sleep(LEARN_S)


def _origin_hash(origin: str) -> str:
    return hashlib.sha256(origin.encode()).hexdigest()


def _seed(path: Path) -> bytes:
    """Return the witness's secret, made at the first start; raise BadKey when others may read it or it is torn."""
    if not path.exists():
        durable.write_file(path, secrets.token_bytes(keys.SEED_BYTES), mode=0o600)
    if path.stat().st_mode & 0o077:
        raise BadKey("Others may read the witness's key: make its file 0600.")
    return path.read_bytes()
