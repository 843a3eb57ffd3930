"""One's own data over HTTP: what is held and who looked, and what one may ask of it. For a person, never for a key.

Whoever calls brings the session of a browser, as the screens at /app/my-data do, and what the screens ask for: a token
against forged requests with whatever changes something, and a proof of at most ten minutes before what is sensitive.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Annotated, Any, Final
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.utils import timezone
from django.views.decorators.cache import never_cache
from ninja import Query, Router
from ninja.security import APIKeyCookie
from ninja.utils import check_csrf

from parcelward.base import config
from parcelward.base.errors import Invalid, NotAllowed, NotFound, NotKnown
from parcelward.base.vault import VaultToken
from parcelward.doors import own_data, throttle
from parcelward.doors.api.own_data_shapes import (
    SUBJECTS,
    CorrectionIn,
    CorrectionOut,
    EntryOut,
    ErasureIn,
    LookOut,
    MeOut,
    ObjectionIn,
    RequestOut,
    TermsOut,
)
from parcelward.doors.api.shapes import PROBLEMS, id_in, once
from parcelward.doors.portals import mydata_words as words
from parcelward.doors.portals.accounts import guard
from parcelward.people import queries as who
from parcelward.people.wire import Person, Task
from parcelward.privacy import actions as privacy
from parcelward.privacy import queries
from parcelward.privacy.wire import Asked, Field, Kept, Purpose, RequestState, Right, Subject

ENTRY_PREFIX, REQUEST_PREFIX = "ent_", "req_"
CALLS_PER_MINUTE: Final = 120  # of one person
LOOKS_MAX: Final = 1_000
PROVE: Final = "/app/account/prove"
_ENDS: Final = frozenset({RequestState.OPEN, RequestState.IN_FORCE, RequestState.WAITING})

router = Router()
router.add_decorator(never_cache, mode="view")


class Session(APIKeyCookie):
    """The session of a person who signed in at /accounts/sign-in. A key has no data of its own, and is refused."""

    param_name = settings.SESSION_COOKIE_NAME
    openapi_description = (
        "The cookie of a person's session. What changes something also sends the csrf_token of GET /api/v1/me as "
        "X-CSRFToken, and a browser's Origin or Referer; some calls ask for a proof of at most ten minutes."
    )

    def __init__(self, *, fresh: bool = False) -> None:
        super().__init__()
        self._fresh = fresh

    def __call__(self, request: HttpRequest) -> Person:
        """Return who asks. Raises NotAllowed (`no_person`, `csrf`, `proof_not_fresh`), NotKnown, TooMany."""
        if "Authorization" in request.headers:
            raise NotAllowed("A key has no data of its own. Sign in, and send your session's cookie.", code="no_person")
        if getattr(request, "signed_in", None) is None:
            raise NotKnown("Sign in at /accounts/sign-in, and send your session's cookie")
        if check_csrf(request) is not None:
            said = "Send the csrf_token of GET /api/v1/me as X-CSRFToken, from this origin. Nothing was changed."
            raise NotAllowed(said, code="csrf")
        person = guard.person(request)
        throttle.take("own_data", person.source, CALLS_PER_MINUTE)
        who.require(person, Task.OWN_DATA)
        if self._fresh and not guard.is_fresh(request):
            said = f"Prove again who you are at {PROVE}, then send this again: a proof is good for ten minutes."
            raise NotAllowed(said, code="proof_not_fresh")
        return person

    def authenticate(self, request: HttpRequest, key: str | None) -> Person:
        """Return who asks."""
        raise NotImplementedError  # pragma: no cover -- `__call__` needs no more than the request


SIGNED_IN, PROVEN = Session(), Session(fresh=True)


def _by(request: HttpRequest) -> Person:
    return request.auth  # type: ignore[attr-defined, no-any-return]  # set by ninja


def _deed(request: HttpRequest) -> Person:
    """Return who asks for something to be done, as often as the screens let them."""
    throttle.allow(request, "mydata", own_data.DEEDS_PER_MINUTE)
    return _by(request)


def _time(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _asked(one: Asked, *, by: Person) -> RequestOut:
    line = words.request_line(one, now=timezone.now())
    erases = one.right is Right.ERASE
    holds = queries.holds_on(by.id, by=by) if erases and one.state in _ENDS else 0
    return RequestOut(
        id=f"{REQUEST_PREFIX}{one.request_id.hex}",
        mode=config.get().mode,
        created_at=one.asked_at.isoformat(),
        right=one.right.value,
        subject=one.subject.value or None,
        state=one.state.value,
        due_at=one.due_at.isoformat(),
        extended_at=_time(one.extended_at),
        not_before=_time(one.not_before),
        ended_at=_time(one.ended_at),
        reason=None if one.reason is None else one.reason.value,
        says=str(line.state),
        reason_says=line.reason,
        legal_hold=words.hold_says(holds) or None,
        can_withdraw=line.can_end,
        afterwards=f"{config.get().public_url}/my-data/erased/{one.request_id}" if erases else None,
    )


def _ask(request: HttpRequest, deed: Callable[[Person], UUID]) -> HttpResponse:
    """Ask for something once, and answer with the request that it became."""
    by = _deed(request)
    return once(request, 201, lambda: _asked(queries.request(deed(by), by=by), by=by))


def _id(prefix: str, text: str, absent: str) -> UUID:
    found = id_in(prefix, text)
    if found is None:
        raise NotFound(absent)
    return found


@router.get("/me", auth=SIGNED_IN, response={200: MeOut, **PROBLEMS}, summary="Your session, and how fresh your proof")
def me(request: HttpRequest) -> dict[str, Any]:
    """Return in which role you act here, until when your proof is fresh, and the token for what changes something."""
    by, session = _by(request), guard.session(request)
    return {
        "mode": config.get().mode,
        "role": by.role.value,
        "proved_at": session.proved_at.isoformat(),
        "fresh_until": (session.proved_at + guard.FRESH).isoformat(),
        "strong": own_data.strong(by),
        "prove_at": f"{config.get().public_url}{PROVE}",
        "csrf_token": get_token(request),
    }


def _entry(kept: Kept, fields: dict[str, str]) -> dict[str, Any]:
    return {
        "id": f"{ENTRY_PREFIX}{kept.token.hex}",
        "mode": config.get().mode,
        "created_at": kept.made_at.isoformat(),
        "kind": kept.kind.value,
        "title": words.entry_title(kept.kind, kept.fields),
        "kept_until": _time(kept.expires_at),
        "fields": fields,
    }


@router.get("/me/data", auth=SIGNED_IN, response={200: list[EntryOut], **PROBLEMS}, summary="What is held, masked")
def data(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the newest 200 entries about you, masked: enough to know which is which."""
    by = _by(request)
    kept = own_data.entries(by)
    masked = privacy.masked_many([each.token for each in kept], list(Field), by=by) if kept else {}
    return [
        _entry(each, {field.value: masked[each.token][field] for field in each.fields})
        for each in kept
        if each.token in masked
    ]


@router.get("/me/data/opened", auth=PROVEN, response={200: list[EntryOut], **PROBLEMS}, summary="What is held, in full")
def data_opened(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the newest 200 entries in full. It is a look like any other, and stands in the trail as your own."""
    by = _by(request)
    kept = own_data.entries(by)
    tokens = [each.token for each in kept]
    with privacy.reveal_many(tokens, list(Field), purpose=Purpose.OWN_DATA, by=by, about="page") as opened:
        return [
            _entry(each, {field.value: value.text for field, value in opened.get(each.token, {}).items()})
            for each in kept
        ]


@router.get("/me/looks", auth=SIGNED_IN, response={200: list[LookOut], **PROBLEMS}, summary="Who looked at your data")
def looks(
    request: HttpRequest,
    limit: Annotated[int, Query(ge=1, le=LOOKS_MAX)] = LOOKS_MAX,
) -> list[dict[str, Any]]:
    """Return who looked, for what, and at which fields, newest first. The export holds all, however many."""
    by = _by(request)
    rows = queries.looks(queries.of_account(by.id), by=by, limit=limit)
    said = words.export_looks(rows, own_source=by.source)
    return [
        one | {"says": str(words.look_line(row, own_source=by.source).words)}
        for one, row in zip(said, rows, strict=True)
    ]


@router.post("/me/export", auth=PROVEN, response={200: dict[str, Any], **PROBLEMS}, summary="Take your data along")
def export(request: HttpRequest) -> dict[str, Any]:
    """Return all that is held of you: the document that the screen gives (`schema`, `schema_version`).

    Each time it is given stands in the trail. The answer is kept nowhere, so no Idempotency-Key is asked for.
    """
    return own_data.document(_deed(request))


@router.post(
    "/me/corrections", auth=PROVEN, response={201: CorrectionOut, **PROBLEMS}, summary="Correct what is held of you"
)
def correct(request: HttpRequest, body: CorrectionIn) -> HttpResponse:
    """Write right values over wrong ones. What was proven of them must be proven anew."""
    by = _deed(request)
    token = VaultToken(_id(ENTRY_PREFIX, body.entry, "No such entry"))
    kept = next((each for each in own_data.entries(by) if each.token == token), None)
    if kept is None:
        raise NotFound("No such entry")
    typed = {Field(name): text.strip() for name, text in _typed(body).items()}
    for fields in own_data.PARTS.values():
        if set(fields) & set(typed) and not set(fields) & set(kept.fields):
            raise Invalid("This entry has no such field to correct", code="not_correctable")

    def write() -> CorrectionOut:
        privacy.correct(token, typed, by=by)
        named = [field.value for field in Field if field in typed]
        return CorrectionOut(entry=f"{ENTRY_PREFIX}{token.hex}", mode=config.get().mode, fields=named)

    return once(request, 201, write)


def _typed(body: CorrectionIn) -> dict[str, str]:
    said: dict[str, Any] = body.model_dump(exclude_none=True, exclude={"entry"})
    address: dict[str, str] = said.pop("address", {})
    return said | address


@router.post(
    "/me/restriction", auth=PROVEN, response={201: RequestOut, **PROBLEMS}, summary="Have your data left alone"
)
def restrict(request: HttpRequest) -> HttpResponse:
    """Have your data opened for legal purposes only from now on, until you withdraw this request."""
    return _ask(request, lambda by: privacy.restrict(by=by))


@router.post("/me/objections", auth=PROVEN, response={201: RequestOut, **PROBLEMS}, summary="Object to a use")
def object_to(request: HttpRequest, body: ObjectionIn) -> HttpResponse:
    """Object to messages about parcels, to being reached, or to being looked at; answered within 30 days."""
    if body.subject not in SUBJECTS["enum"]:
        raise Invalid("Say what you object to", code="bad_subject")
    return _ask(request, lambda by: privacy.object_to(Subject(body.subject), by=by))


@router.get("/me/erasure", auth=SIGNED_IN, response={200: TermsOut, **PROBLEMS}, summary="What an erasure would meet")
def erasure_terms(request: HttpRequest) -> dict[str, Any]:
    """Return what stands in the way of an erasure: legal holds, and roles that end first."""
    by = _by(request)
    holds = queries.holds_on(by.id, by=by)
    return {
        "entries": len(queries.of_account(by.id)),
        "legal_holds": holds,
        "legal_hold": words.hold_says(holds) or None,
        "roles": [one.role.value for one in who.memberships(by=by)],
    }


@router.post("/me/erasure", auth=PROVEN, response={201: RequestOut, **PROBLEMS}, summary="Ask to be erased")
def erase(request: HttpRequest, body: ErasureIn) -> HttpResponse:  # noqa: ARG001 -- ninja reads it: it says `everything`
    """Ask that all your data and your account be erased. Two people here agree; until the wait is over, withdraw it."""
    return _ask(request, lambda by: privacy.ask_erasure(by=by, strong=own_data.strong(by)))


@router.get("/me/requests", auth=SIGNED_IN, response={200: list[RequestOut], **PROBLEMS}, summary="What you asked for")
def requests(request: HttpRequest) -> list[RequestOut]:
    """Return your newest 200 requests, and where each stands."""
    by = _by(request)
    return [_asked(one, by=by) for one in queries.requests_of(by=by)]


@router.get("/me/requests/{request_id}", auth=SIGNED_IN, response={200: RequestOut, **PROBLEMS}, summary="One request")
def one_request(request: HttpRequest, request_id: str) -> RequestOut:
    """Return one request of yours; somebody else's looks like none, whatever your role."""
    by = _by(request)
    found = queries.request(_id(REQUEST_PREFIX, request_id, "No such request"), by=by)
    if found.account != by.id:
        raise NotFound("No such request")
    return _asked(found, by=by)


@router.delete("/me/requests/{request_id}", auth=PROVEN, response={204: None, **PROBLEMS}, summary="Withdraw a request")
def withdraw(request: HttpRequest, request_id: str) -> tuple[int, None]:
    """Call a request off, or end a restriction or an objection. Doing it twice changes nothing more."""
    by = _deed(request)
    privacy.withdraw_request(_id(REQUEST_PREFIX, request_id, "No such request"), by=by)
    return 204, None
