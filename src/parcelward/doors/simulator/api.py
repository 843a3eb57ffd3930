"""The public HTTP API, as any client sees it: enrolment with an API key, signed batches, and nothing else."""

from __future__ import annotations

import base64
import time
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from parcelward.doors.simulator import signing

if TYPE_CHECKING:
    import threading

    from parcelward.doors.simulator.fleet import Enrolled
    from parcelward.doors.simulator.world import Device, Facility, Lane

TIMEOUT_S = 60.0
PAUSE_FIRST_S = 0.2
PAUSE_MAX_S = 20.0
TRIES_MAX = 40  # about ten minutes of an installation that does not answer
FOR_EVER = 2**31
BROKEN_TRIES_MAX = 8  # a batch that breaks the installation each time must not hold up all others for ever
TRY_AGAIN = frozenset({429, 500, 502, 503, 504})


class Refused(Exception):
    """The API said no, and asking again unchanged cannot help."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code = status, code


class Stopped(Exception):
    """Somebody asked the simulator to stop while it waited."""


class Api:
    """One installation under one address. Safe to use from several threads."""

    def __init__(self, url: str, api_key: str, stop: threading.Event, *, tries_max: int = TRIES_MAX) -> None:
        near = urlsplit(url).hostname in {"localhost", "127.0.0.1", "::1"}
        self._stop = stop
        self._tries_max = tries_max
        self._bearer = {"Authorization": f"Bearer {api_key}"}
        # A proxy from the environment is for far addresses only.
        self._client = httpx.Client(base_url=url.rstrip("/"), timeout=TIMEOUT_S, trust_env=not near)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def put_facility(self, facility: Facility) -> None:
        """Make a facility known, marked as simulated."""
        self._call("PUT", f"/api/v1/facilities/{quote(facility.code)}", json=facility.record(), headers=self._bearer)

    def put_lane(self, lane: Lane) -> None:
        """Make a lane known."""
        path = f"/api/v1/lanes/{quote(lane.origin)}/{quote(lane.destination)}"
        self._call("PUT", path, json=lane.record(), headers=self._bearer)

    def put_routes(self, routes: list[dict[str, str]]) -> None:
        """Say which office delivers where."""
        self._call("PUT", "/api/v1/routes", json={"routes": routes}, headers=self._bearer)

    def enrol(self, device: Device, key: Ed25519PrivateKey) -> tuple[str, str]:
        """Enrol a device with its public key; return (device_id, key_id)."""
        public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        body: dict[str, object] = {
            "name": device.name,
            "public_key_ed25519_base64": base64.b64encode(public).decode(),
            "simulated": True,
        }
        if device.facility:
            body["facility"] = device.facility
        answer = self._call(
            "POST", "/api/v1/devices", json=body, headers={**self._bearer, "Idempotency-Key": str(uuid.uuid4())}
        ).json()
        return answer["device_id"], answer["key_id"]

    def send(self, enrolled: Enrolled, body: bytes, sequence: int) -> tuple[dict[str, Any], int]:
        """Send one signed batch until it is answered; return the answer and how often it had to be sent again.

        Raises Refused. The batch keeps its bytes and its sequence: an answer that got lost is given again.
        """
        tries = 0
        while True:
            headers = signing.headers(
                enrolled.key, key_id=enrolled.key_id, body=body, sequence=sequence, created=int(time.time())
            )
            headers["Content-Type"] = "application/x-ndjson"
            answer = self._try("POST", signing.SCANS_PATH, tries, content=body, headers=headers)
            if answer is not None:
                return answer.json(), tries
            tries += 1

    def _call(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Make a call that may be repeated, until it is answered. Raises Refused."""
        tries = 0
        while (answer := self._try(method, path, tries, **request)) is None:
            tries += 1
        return answer

    def _try(self, method: str, path: str, tries: int, **request: Any) -> httpx.Response | None:
        """Ask once. Return the answer, or None after the pause that must pass before asking again."""
        pause_s = min(PAUSE_MAX_S, PAUSE_FIRST_S * 2 ** min(tries, 10))
        try:
            answer = self._client.request(method, path, **request)
        except httpx.TransportError as lost:
            if tries >= self._tries_max:
                raise Refused(0, "no_answer", f"{type(lost).__name__} after {tries} tries") from lost
        else:
            if answer.is_success:
                return answer
            most = min(self._tries_max, BROKEN_TRIES_MAX) if answer.status_code == 500 else self._tries_max  # noqa: PLR2004 -- RFC 9110's "Internal Server Error"
            if answer.status_code not in TRY_AGAIN or tries >= most:
                raise _refusal(answer)
            pause_s = max(pause_s, _retry_after_s(answer)) if answer.status_code in {429, 503} else pause_s
        if self._stop.wait(pause_s):
            raise Stopped
        return None


def _retry_after_s(answer: httpx.Response) -> float:
    """Return the seconds of `Retry-After` (RFC 9110 section 10.2.3); a date or nothing leaves the pause to us."""
    text = answer.headers.get("Retry-After", "")
    return min(float(text), 600.0) if text.isdigit() else 0.0


def _refusal(answer: httpx.Response) -> Refused:
    """Read RFC 9457 problem details, as far as there are any."""
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    if not isinstance(problem, dict):
        problem = {}
    code = str(problem.get("code", "")) or f"http_{answer.status_code}"
    return Refused(answer.status_code, code, str(problem.get("detail") or problem.get("title") or answer.reason_phrase))
