"""Lists of orders on screen: send a file, say what its columns mean, mend rows where they stand, place, print."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from parcelward.base import config
from parcelward.base.errors import NotFound, ParcelwardError
from parcelward.base.standards.addresses.address import Address
from parcelward.doors.portals import amounts, confirming, upload_words
from parcelward.doors.portals.accounts.guard import who_finds
from parcelward.doors.portals.confirming import Question
from parcelward.people.wire import Person, Task
from parcelward.privacy import actions as privacy
from parcelward.privacy.wire import Field
from parcelward.shipping import actions, queries
from parcelward.shipping.labels import layout, pdf
from parcelward.shipping.uploads import columns as mapping
from parcelward.shipping.uploads.wire import RowSeen, RowState, State, UploadSeen
from parcelward.shipping.wire import Party

HOME: Final = "/app/uploads"
SHOWN: Final = 20  # rows to mend on one page
TYPED_MAX: Final = 300
DEFAULTS: Final = ("product", "weight_kg", "size_cm", "contents")
FROM: Final = ("organisation", "addressee", "street", "locality", "administrative_area", "postcode", "country")


@login_required
@never_cache
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show one's own lists, and where to send a new one."""
    return _overview(request, who_finds(request, Task.ORDER))


def _overview(request: HttpRequest, person: Person, *, problem: str = "", status: int = 200) -> HttpResponse:
    lists = [{"one": one, "words": upload_words.state(one)} for one in queries.uploads(by=person)]
    context = {
        "lists": lists,
        "problem": problem,
        "key": str(uuid.uuid4()),
        "said": confirming.said_once(request),
    }
    return render(request, "uploads/overview.html", context, status=status)


@login_required
@never_cache
@require_POST
def send(request: HttpRequest) -> HttpResponse:
    """Take a file. The form's own key makes a second click harmless."""
    person, file = who_finds(request, Task.ORDER), request.FILES.get("file")
    if file is None:
        return _overview(request, person, problem=_("Choose a file first."), status=422)
    try:
        upload = actions.take_file(uuid.UUID(request.POST.get("key", "")[:40]), file.read(), by=person)
    except ValueError:
        return _overview(request, person, problem=_("Send the file from this page."), status=422)
    except ParcelwardError as refused:
        return _overview(request, person, problem=_(refused.message), status=refused.status)
    return HttpResponseRedirect(f"{HOME}/{upload}")


@login_required
@never_cache
@require_safe
def one(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """Show a list as it stands now; its progress alone where the page asks for that."""
    person = who_finds(request, Task.ORDER)
    seen = queries.upload(upload_id, by=person)
    if seen.state is State.MAPPING:
        return _columns(request, person, upload_id)
    return _one(request, person, seen)


def _one(
    request: HttpRequest,
    person: Person,
    seen: UploadSeen,
    *,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    moves = seen.state is State.CHECKING or (seen.state is State.PLACING and not seen.reason)
    context: dict[str, Any] = {
        "one": seen,
        "words": upload_words.state(seen),
        "reason": upload_words.reason(seen.reason) if seen.reason else "",
        "ok": seen.counts.get(RowState.OK, 0),
        "wrong": seen.counts.get(RowState.WRONG, 0) + seen.counts.get(RowState.FAILED, 0),
        "placed": seen.counts.get(RowState.PLACED, 0),
        "ahead": seen.rows - seen.counts.get(RowState.NEW, 0),
        "total": amounts.shown(seen.total_minor, seen.currency),
        "moves": moves,
        "open": seen.state not in {State.GIVEN_UP, State.DONE} or bool(seen.counts.get(RowState.WRONG, 0)),
        "problem": problem,
        "said": confirming.said_once(request),
    }
    if request.headers.get("HX-Target") == "progress":
        if not moves:  # the whole page is another one now
            return HttpResponse(status=204, headers={"HX-Refresh": "true"})
        return render(request, "uploads/_progress.html", context)
    if seen.state in {State.PREVIEW, State.PLACING, State.DONE} and not moves:
        rows = queries.upload_rows_of(seen.id, by=person, after=_place(request), limit=SHOWN + 1)
        context["bad"] = [_row(each) for each in rows[:SHOWN]]
        context["more"] = rows[SHOWN - 1].place if len(rows) > SHOWN else None
        context["sheets"] = range(0, context["placed"], actions.LABELS_AT_ONCE)
    return render(request, "uploads/one.html", context, status=status)


def _place(request: HttpRequest) -> int:
    text = request.GET.get("after", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else -1  # noqa: PLR2004 -- no list has a million rows


def _row(row: RowSeen) -> dict[str, Any]:
    """Return a row with the fields that are to be mended; a measure in the unit that the file has, or the usual one."""
    names = upload_words.fields()
    fields: dict[str, dict[str, Any]] = {}
    for wrong in row.wrong:
        name = wrong.field
        if name in {"weight", "size"}:
            usual = {"weight": "weight_kg", "size": "size_cm"}[name]
            name = next((field for field in row.values if mapping.measure_of(field) == name), usual)
        if name not in mapping.FIELDS:
            continue
        known = fields.setdefault(
            name, {"name": name, "words": names[name], "value": row.values.get(name, ""), "wrong": [], "better": ""}
        )
        known["wrong"].append(upload_words.wrong(wrong))
        known["better"] = known["better"] or ("" if wrong.code == "bad_choice" else wrong.suggestion)
    whom = row.values.get("addressee") or row.values.get("organisation", "")
    return {"place": row.place, "number": row.place + 1, "whom": whom, "fields": list(fields.values())}


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def columns(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """Ask what each column means, what holds for all rows, and whom the parcels are from."""
    person = who_finds(request, Task.ORDER)
    if request.method != "POST":
        return _columns(request, person, upload_id)
    post = {name: value[:TYPED_MAX] for name, value in request.POST.items() if isinstance(value, str)}
    seen = queries.upload(upload_id, by=person, columns=True)
    taken = [post.get(f"column-{at}", "") for at, _column in enumerate(seen.columns)]
    defaults = {name: post[f"all-{name}"].strip() for name in DEFAULTS if post.get(f"all-{name}", "").strip()}
    try:
        actions.map_columns(
            *(upload_id, taken, defaults), sender=_sender(post), by=person, repeats_ok=post.get("repeats") == "yes"
        )
    except ParcelwardError as refused:
        return _columns(request, person, upload_id, post=post, refused=refused)
    return HttpResponseRedirect(f"{HOME}/{upload_id}")


def _sender(post: Mapping[str, str]) -> Party | None:
    """Return whom the parcels are from, where anything was typed; else whoever it was before."""
    typed = {name: post.get(f"from-{name}", "").strip() for name in FROM}
    if not any(text for name, text in typed.items() if name != "country"):
        return None
    street, country = typed.pop("street"), typed.pop("country") or config.get().country
    return Party(Address(country=country, street_lines=tuple(street.splitlines()), **typed))


def _columns(
    request: HttpRequest,
    person: Person,
    upload_id: UUID,
    *,
    post: Mapping[str, str] | None = None,
    refused: ParcelwardError | None = None,
) -> HttpResponse:
    seen = queries.upload(upload_id, by=person, columns=True)
    typed, names = post or {}, upload_words.fields()
    choices = [(name, names[name]) for name in mapping.FIELDS]
    context = {
        "one": seen,
        "columns": [
            {"one": each, "chosen": typed.get(f"column-{each.place}", each.taken_for), "id": f"column-{each.place}"}
            for each in seen.columns
        ],
        "choices": choices,
        "defaults": [
            {
                "name": f"all-{name}",
                "words": names[name],
                "value": typed.get(f"all-{name}", seen.defaults.get(name, "")),
            }
            for name in DEFAULTS
        ],
        "products": [(each.code, each.words) for each in queries.tariff_now().products],
        "froms": [
            {"name": f"from-{name}", "words": _from_words()[name], "value": typed.get(f"from-{name}", "")}
            for name in FROM
        ],
        "from_now": _masked(seen, person),
        "repeats": typed.get("repeats") == "yes" if post else seen.repeats_ok,
        "problems": _problems(refused) if refused else [],
    }
    return render(request, "uploads/columns.html", context, status=refused.status if refused else 200)


def _from_words() -> Mapping[str, str]:
    names = upload_words.fields()
    return {name: names["street_1"] if name == "street" else names[name] for name in FROM}


def _problems(refused: ParcelwardError) -> list[str]:
    """Return what is wrong with a mapping, each in a sentence."""
    names = upload_words.fields()
    found = []
    for each in refused.problems:
        part, _slash, name = each.pointer.strip("/").partition("/")
        if part == "sender":
            said = each.message if name else _("Say whom the parcels are from")
            found.append(_("Sender: %(said)s.") % {"said": _(said).rstrip(".")})
        elif each.code == "no_column":
            found.append(_("No column is the %(field)s.") % {"field": names.get(name, name)})
        elif each.code == "twice":
            found.append(_("Two columns are the %(field)s.") % {"field": names.get(name, name)})
        else:
            found.append(_(each.message))
    return found or [_(refused.message)]


def _masked(seen: UploadSeen, person: Person) -> str:
    """Return as much of the sender's address as a list shows."""
    if seen.sender is None:
        return ""
    fields = (Field.NAME, Field.POSTCODE, Field.LOCALITY, Field.COUNTRY)
    found = privacy.masked_many([seen.sender], fields, by=person).get(seen.sender, {})
    return ", ".join(found[field] for field in fields if found.get(field))


@login_required
@never_cache
@require_POST
def mend(request: HttpRequest, upload_id: UUID, place: int) -> HttpResponse:
    """Write what was mended into a row, and look at it again."""
    person = who_finds(request, Task.ORDER)
    fields = {name: str(request.POST[name])[:TYPED_MAX] for name in mapping.FIELDS if name in request.POST}
    actions.mend_row(upload_id, place, fields, by=person)
    row = queries.upload_row(upload_id, place, by=person)
    number = {"n": place + 1}
    said = _("Row %(n)s has something wrong still.") if row.wrong else _("Row %(n)s is good now.")
    return confirming.done(request, said % number, f"{HOME}/{upload_id}#rows")


@login_required
@never_cache
@require_POST
def place(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """Have orders made of the good rows."""
    person = who_finds(request, Task.ORDER)
    try:
        actions.place_upload(upload_id, by=person)
    except ParcelwardError as refused:
        seen = queries.upload(upload_id, by=person)
        return _one(request, person, seen, problem=_(refused.message), status=refused.status)
    return HttpResponseRedirect(f"{HOME}/{upload_id}")


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def give_up(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """Ask whether a list is given up, and forget what no order was made of."""
    person = who_finds(request, Task.ORDER)
    seen = queries.upload(upload_id, by=person)
    placed = seen.counts.get(RowState.PLACED, 0)
    words = [_("Every row that is no order is forgotten. Nobody can bring it back.")]
    if placed:
        said = ngettext("%(n)s order that was made stays.", "%(n)s orders that were made stay.", placed)
        words.append(said % {"n": placed})
    question = Question(
        title=_("Give this list up?"),
        words=tuple(words),
        button=_("Give it up"),
        back=f"{HOME}/{upload_id}",
        warns=True,
    )

    def act(_reason: str) -> None:
        actions.give_up_upload(upload_id, by=person)

    return confirming.confirmed(request, question, act, said=_("The list is given up."), to=HOME)


@login_required
@never_cache
@require_safe
def labels(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """Give the labels of a list's orders as one PDF, four on a sheet of A4; of a long list a part at a time."""
    person = who_finds(request, Task.ORDER)
    start = _place(request) + 1 if request.GET.get("after") else 0
    try:
        facts = actions.labels_of_upload(upload_id, start, by=person)
    except ParcelwardError as refused:
        if isinstance(refused, NotFound):
            raise
        seen = queries.upload(upload_id, by=person)
        return _one(request, person, seen, problem=_(refused.message), status=refused.status)
    answer = HttpResponse(pdf.render(facts, layout.A4_OF_4), content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="labels-{start + 1}.pdf"'
    return answer


urlpatterns = [
    path("app/uploads", overview, name="uploads"),
    path("app/uploads/send", send, name="send_upload"),
    path("app/uploads/<uuid:upload_id>", one, name="upload"),
    path("app/uploads/<uuid:upload_id>/columns", columns, name="upload_columns"),
    path("app/uploads/<uuid:upload_id>/rows/<int:place>", mend, name="mend_row"),
    path("app/uploads/<uuid:upload_id>/place", place, name="place_upload"),
    path("app/uploads/<uuid:upload_id>/give-up", give_up, name="give_up_upload"),
    path("app/uploads/<uuid:upload_id>/labels", labels, name="upload_labels"),
]
