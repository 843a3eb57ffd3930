"""What right each address asks for: whoever adds one says it here, or `test_matrix` fails."""

from __future__ import annotations

from typing import Final

from parcelward.doors.portals.two_people import TASKS as TWO
from parcelward.people.wire import Task

OPEN: Final = "open"  # anybody, who need not say who they are
SELF: Final = "self"  # whoever is signed in, about themselves
Right = str | frozenset[Task]  # one of these tasks is enough


def any_of(*tasks: Task) -> frozenset[Task]:
    return frozenset(tasks)


T = Task
SCREENS: Final[dict[str, Right]] = {
    "/app/": SELF,
    "/app/account": SELF,
    "/app/account/act": SELF,
    "/app/account/join": SELF,
    "/app/account/app-codes": SELF,
    "/app/account/app-codes/off": SELF,
    "/app/account/passkeys/<int:passkey_id>/remove": SELF,
    "/app/account/passkeys/<int:passkey_id>/rename": SELF,
    "/app/account/passkeys/add": SELF,
    "/app/account/prove": SELF,
    "/app/account/prove/options": SELF,
    "/app/account/recovery-codes": SELF,
    "/app/account/sessions/<uuid:session_id>/end": SELF,
    "/app/account/sessions/end-others": SELF,
    "/app/roles": SELF,
    "/app/courier/label": any_of(T.OPEN_LABEL),
    "/app/courier/label/keys": any_of(T.OPEN_LABEL),
    "/app/office/lend": any_of(T.LEND_KEYS),
    "/app/office/loans/<uuid:loan_id>/end": any_of(T.LEND_KEYS),
    "/app/desk/rights": any_of(T.ANSWER_RIGHTS),
    "/app/desk/rights/<uuid:request_id>": any_of(T.ANSWER_RIGHTS),
    "/app/sender": any_of(T.READ_ORDERS),
    "/app/orders": any_of(T.READ_ORDERS),
    "/app/orders/new": any_of(T.ORDER),
    "/app/orders/buy": any_of(T.ORDER),
    "/app/orders/<uuid:order_id>": any_of(T.READ_ORDERS),
    "/app/orders/<uuid:order_id>/give-up": any_of(T.ORDER),
    "/app/orders/<uuid:order_id>/cancel": any_of(T.ORDER),
    "/app/orders/<uuid:order_id>/appeal": any_of(T.ORDER),
    "/app/orders/<uuid:order_id>/customs/<int:place>": any_of(T.ORDER),
    "/app/orders/<uuid:order_id>/customs/<int:place>/form": any_of(T.ORDER),
    "/app/hs-codes": any_of(T.ORDER),
    "/app/orders/<uuid:order_id>/labels/<int:place>/anew": any_of(T.ORDER),
    "/app/orders/<uuid:order_id>/labels/<int:place>/<str:form>": any_of(T.ORDER),
    "/app/balance": any_of(T.READ_BALANCE),
    "/app/balance/pay-in": any_of(T.PAY_IN),
    "/app/balance/payments/<uuid:payment_id>": any_of(T.READ_BALANCE),
    "/app/balance/payments/<uuid:payment_id>/give-up": any_of(T.PAY_IN),
    **dict.fromkeys(
        (
            *("/app/webhooks", "/app/webhooks/new", "/app/webhooks/<uuid:endpoint_id>"),
            *(
                f"/app/webhooks/<uuid:endpoint_id>/{deed}"
                for deed in ("change", "pause", "remove", "replay", "rotate", "test")
            ),
            *(f"/app/webhooks/<uuid:endpoint_id>/deliveries/<uuid:delivery_id>{deed}" for deed in ("", "/replay")),
        ),
        any_of(T.MANAGE_WEBHOOKS),
    ),
    "/app/uploads": any_of(T.ORDER),
    "/app/uploads/send": any_of(T.ORDER),
    **{
        f"/app/uploads/<uuid:upload_id>{deed}": any_of(T.ORDER)
        for deed in ("", "/columns", "/rows/<int:place>", "/place", "/give-up", "/labels")
    },
    "/app/contacts": any_of(T.CONTACT),
    "/app/contacts/<uuid:contact>": any_of(T.CONTACT),
    "/app/contacts/<uuid:contact>/close": any_of(T.CONTACT),
    "/app/contacts/open": any_of(T.CONTACT),
    "/app/my-data": any_of(T.OWN_DATA),
    "/app/my-data/correct": any_of(T.OWN_DATA),
    "/app/my-data/erase": any_of(T.OWN_DATA),
    "/app/my-data/export": any_of(T.OWN_DATA),
    "/app/my-data/held": any_of(T.OWN_DATA),
    "/app/my-data/looks": any_of(T.OWN_DATA),
    "/app/my-data/object": any_of(T.OWN_DATA),
    "/app/my-data/requests/<uuid:request_id>/end": any_of(T.OWN_DATA),
    "/app/my-data/restrict": any_of(T.OWN_DATA),
    "/app/counter/letters/<uuid:letter_id>/print": any_of(T.PROVE_OTHERS),
    "/app/counter/proofing": any_of(T.PROVE_OTHERS),
    "/app/counter/proofing/<uuid:check_id>": any_of(T.PROVE_OTHERS),
    "/app/counter/proofing/<uuid:check_id>/check": any_of(T.PROVE_OTHERS),
    "/app/desk/": any_of(T.READ_DESK),
    "/app/desk/alerts/<int:alert_id>/close": any_of(T.REPAIR),
    "/app/desk/devices/": any_of(T.ENROL_DEVICE),
    "/app/desk/devices/<uuid:device_id>/revoke": any_of(T.ENROL_DEVICE),
    "/app/desk/devices/enrol": any_of(T.ENROL_DEVICE),
    "/app/desk/devices/enrolments/<uuid:enrolment_id>": any_of(T.ENROL_DEVICE),
    "/app/desk/devices/enrolments/<uuid:enrolment_id>/withdraw": any_of(T.ENROL_DEVICE),
    "/app/desk/items/<str:item_id>/erase": any_of(T.SHRED),
    "/app/desk/items/<str:item_id>/events/<str:event_key>/correct": any_of(T.CORRECT),
    "/app/desk/items/<str:item_id>/hold": any_of(T.HOLD),
    "/app/desk/items/<str:item_id>/legal-hold": any_of(T.SHRED),
    "/app/desk/items/<str:item_id>/release": any_of(T.RELEASE),
    "/app/desk/items/<str:item_id>/release-security": any_of(T.RELEASE_SECURITY),
    "/app/desk/quarantine/<int:quarantine_id>/dismiss": any_of(T.REPAIR),
    "/app/desk/quarantine/<int:quarantine_id>/resubmit": any_of(T.REPAIR),
    "/app/counter/photo": any_of(T.PHOTOGRAPH),
    "/app/desk/hazmat-rules": any_of(T.WRITE_HAZMAT_RULES),
    "/app/desk/re-enrol": any_of(T.RE_ENROL),
    "/app/desk/two-people": any_of(*TWO),
    "/app/keys/": any_of(T.MANAGE_KEYS),
    "/app/keys/<uuid:key_id>/grants/<uuid:grant_id>/end": any_of(T.GRANT_SPENDING),
    "/app/keys/<uuid:key_id>/grants/new": any_of(T.GRANT_SPENDING),
    "/app/keys/<uuid:key_id>/revoke": any_of(T.MANAGE_KEYS),
    "/app/keys/<uuid:key_id>/rotate": any_of(T.MANAGE_KEYS),
    "/app/keys/new": any_of(T.MANAGE_KEYS),
    "/app/organisation": any_of(T.MANAGE_MEMBERS),
    "/app/organisation/members/<uuid:membership>": any_of(T.MANAGE_MEMBERS),
    "/app/organisation/members/<uuid:membership>/certificates": any_of(T.CERTIFY),
    "/app/organisation/members/<uuid:membership>/certificates/<uuid:certificate_id>/revoke": any_of(T.CERTIFY),
    "/app/organisation/members/<uuid:membership>/end": any_of(T.MANAGE_MEMBERS),
    "/app/organisation/members/<uuid:membership>/hand-over": any_of(T.MANAGE_MEMBERS),
    "/app/organisation/members/<uuid:membership>/role": any_of(T.CHANGE_ROLES),
    "/app/organisations": any_of(T.MANAGE_ORGANISATIONS),
    "/app/organisations/<uuid:organisation_id>": any_of(T.MANAGE_ORGANISATIONS),
    "/app/organisations/<uuid:organisation_id>/invitations/<uuid:invitation_id>/withdraw": any_of(T.MANAGE_MEMBERS),
    "/app/organisations/<uuid:organisation_id>/invite": any_of(T.MANAGE_MEMBERS),
    "/app/organisations/<uuid:organisation_id>/places": any_of(T.MANAGE_ORGANISATIONS),
    "/app/organisations/<uuid:organisation_id>/suspend": any_of(T.MANAGE_ORGANISATIONS),
    "/app/organisations/make": any_of(T.MANAGE_ORGANISATIONS),
    "/app/proofing": any_of(T.PROVE_SELF),
    "/app/proofing/counter": any_of(T.PROVE_SELF),
    "/app/proofing/counter/barcode": any_of(T.PROVE_SELF),
    "/app/proofing/counter/barcode.svg": any_of(T.PROVE_SELF),
    "/app/proofing/counter/cancel": any_of(T.PROVE_SELF),
    "/app/proofing/letter": any_of(T.PROVE_SELF),
    "/app/proofing/letter/cancel": any_of(T.PROVE_SELF),
    "/app/proofing/letter/code": any_of(T.PROVE_SELF),
    "/app/reviews/orders": any_of(T.REVIEW_ORDER),
    "/app/reviews/orders/<uuid:order_id>": any_of(T.REVIEW_ORDER),
    "/app/rules": any_of(T.READ_DECISIONS),
    "/app/rules/<uuid:version_id>": any_of(T.READ_DECISIONS),
    **{
        f"/app/rules/{deed}": any_of(T.WRITE_RULES)
        for deed in (
            "new",
            *(f"<uuid:version_id>/{one}" for one in ("try", "shadow", "draft", "only-watch", "retire")),
        )
    },
    "/app/rules/<uuid:version_id>/activate": any_of(T.ACTIVATE_RULE),
    "/app/rules/looks": any_of(T.READ_DECISIONS),
    "/app/rules/looks/costs": any_of(T.WRITE_RULES),
    "/app/rules/looks/<uuid:order_id>/say": any_of(T.LEARN_OUTCOME),
    "/app/rules/models": any_of(T.READ_DECISIONS),
    "/app/rules/models/<uuid:model_id>/choose": any_of(T.CHOOSE_MODEL),
    "/app/rules/models/<uuid:model_id>/retire": any_of(T.CHOOSE_MODEL),
    "/app/rules/snoozes": any_of(T.READ_DECISIONS),
    "/app/rules/snoozes/new": any_of(T.SNOOZE_RULE),
    "/app/rules/snoozes/<uuid:snooze_id>/end": any_of(T.SNOOZE_RULE),
    "/app/reviews/proofing": any_of(T.REVIEW_PROOFS),
    "/app/reviews/proofing/<uuid:check_id>": any_of(T.REVIEW_PROOFS),
    **{
        f"/app/desk/two-people/{what}/{deed}": right
        for what, right in (
            ("erasures/<int:erasure_id>", any_of(T.SHRED)),
            ("invitations/<uuid:invitation_id>", any_of(T.CHANGE_ROLES)),
            ("requests/<uuid:request_id>", any_of(*TWO)),
        )
        for deed in ("agree", "refuse", "withdraw")
    },
}
"""Address of a screen -> who sees it, in a session."""

OF_ONE_TENANT: Final = ("membership>", "organisation_id>", "key_id>")
"""What is in an address whose object belongs to an organisation: to others there is nothing there."""

API: Final[dict[tuple[str, str], Right]] = {
    ("PUT", "/api/v1/calendar"): any_of(T.EDIT_NETWORK),
    ("GET", "/api/v1/devices"): any_of(T.ENROL_DEVICE),
    ("POST", "/api/v1/devices"): any_of(T.ENROL_DEVICE),
    ("GET", "/api/v1/devices/{device_id}"): any_of(T.ENROL_DEVICE),
    ("DELETE", "/api/v1/devices/{device_id}"): any_of(T.ENROL_DEVICE),
    ("PUT", "/api/v1/facilities/{code}"): any_of(T.EDIT_NETWORK),
    ("PUT", "/api/v1/facilities/{code}/calendar"): any_of(T.EDIT_NETWORK),
    ("PUT", "/api/v1/lanes/{origin}/{destination}"): any_of(T.EDIT_NETWORK),
    ("POST", "/api/v1/items/{item_id}/links"): any_of(T.MAKE_LINK),
    ("GET", "/api/v1/keys"): any_of(T.MANAGE_KEYS),
    ("POST", "/api/v1/keys"): any_of(T.MANAGE_KEYS),
    ("DELETE", "/api/v1/keys/{key_id}"): any_of(T.MANAGE_KEYS),
    ("POST", "/api/v1/keys/{key_id}/rotate"): any_of(T.MANAGE_KEYS),
    ("GET", "/api/v1/keys/{key_id}/grants"): any_of(T.MANAGE_KEYS),
    ("POST", "/api/v1/keys/{key_id}/grants"): any_of(T.GRANT_SPENDING),
    ("DELETE", "/api/v1/keys/{key_id}/grants/{grant_id}"): any_of(T.GRANT_SPENDING),
    ("GET", "/api/v1/webhooks"): any_of(T.MANAGE_WEBHOOKS),
    ("POST", "/api/v1/webhooks"): any_of(T.MANAGE_WEBHOOKS),
    ("GET", "/api/v1/webhooks/{endpoint_id}"): any_of(T.MANAGE_WEBHOOKS),
    ("PATCH", "/api/v1/webhooks/{endpoint_id}"): any_of(T.MANAGE_WEBHOOKS),
    ("DELETE", "/api/v1/webhooks/{endpoint_id}"): any_of(T.MANAGE_WEBHOOKS),
    ("GET", "/api/v1/webhooks/{endpoint_id}/deliveries"): any_of(T.MANAGE_WEBHOOKS),
    **{
        ("POST", f"/api/v1/webhooks/{{endpoint_id}}/{deed}"): any_of(T.MANAGE_WEBHOOKS)
        for deed in ("replay", "rotate", "test")
    },
    ("POST", "/api/v1/manifests"): any_of(T.CAPTURE),
    ("PUT", "/api/v1/routes"): any_of(T.EDIT_NETWORK),
    ("PUT", "/api/v1/tariff"): any_of(T.EDIT_TARIFF),
    ("POST", "/api/v1/addresses/check"): any_of(T.ORDER),
    ("POST", "/api/v1/quotes"): any_of(T.ORDER),
    ("POST", "/api/v1/orders"): any_of(T.ORDER),
    ("GET", "/api/v1/orders"): any_of(T.READ_ORDERS, T.READ_MONEY),
    ("GET", "/api/v1/orders/{order_id}"): any_of(T.READ_ORDERS, T.READ_MONEY),
    ("POST", "/api/v1/orders/{order_id}/give-up"): any_of(T.ORDER),
    ("POST", "/api/v1/orders/{order_id}/cancel"): any_of(T.ORDER),
    ("POST", "/api/v1/orders/{order_id}/appeal"): any_of(T.ORDER),
    ("GET", "/api/v1/orders/{order_id}/labels/{place}"): any_of(T.ORDER),
    ("POST", "/api/v1/orders/{order_id}/labels/{place}"): any_of(T.ORDER),
    ("PUT", "/api/v1/orders/{order_id}/customs"): any_of(T.ORDER),
    ("GET", "/api/v1/orders/{order_id}/customs"): any_of(T.ORDER),
    ("GET", "/api/v1/items/{item_id}/customs"): any_of(T.ORDER),
    ("GET", "/api/v1/hs-codes"): any_of(T.ORDER),
    ("POST", "/api/v1/addressbook"): any_of(T.ORDER),
    ("GET", "/api/v1/addressbook"): any_of(T.READ_ORDERS),
    ("POST", "/api/v1/addressbook/find"): any_of(T.READ_ORDERS),
    ("GET", "/api/v1/addressbook/{entry}"): any_of(T.READ_ORDERS),
    ("PUT", "/api/v1/addressbook/{entry}"): any_of(T.ORDER),
    ("DELETE", "/api/v1/addressbook/{entry}"): any_of(T.ORDER),
    ("POST", "/api/v1/uploads"): any_of(T.ORDER),
    ("GET", "/api/v1/uploads"): any_of(T.READ_ORDERS),
    ("GET", "/api/v1/uploads/{upload_id}"): any_of(T.READ_ORDERS),
    ("GET", "/api/v1/uploads/{upload_id}/errors"): any_of(T.READ_ORDERS),
    ("POST", "/api/v1/uploads/{upload_id}/mapping"): any_of(T.ORDER),
    ("POST", "/api/v1/uploads/{upload_id}/rows/{row}"): any_of(T.ORDER),
    ("POST", "/api/v1/uploads/{upload_id}/place"): any_of(T.ORDER),
    ("POST", "/api/v1/uploads/{upload_id}/give-up"): any_of(T.ORDER),
    ("POST", "/api/v1/scans"): any_of(T.SCAN),
    ("GET", "/api/v1/keys/{key_id}"): any_of(T.MANAGE_KEYS),
    ("GET", "/epcis/"): SELF,  # which lists there are
    ("POST", "/epcis/capture"): any_of(T.CAPTURE),
    ("GET", "/epcis/capture"): any_of(T.CAPTURE),
    ("GET", "/epcis/capture/{capture_id}"): any_of(T.CAPTURE),
    ("GET", "/epcis/events"): any_of(T.READ_EVENTS),
    ("POST", "/epcis/events"): any_of(T.CAPTURE),
    ("GET", "/epcis/events/{event_id}"): any_of(T.READ_EVENTS),
    ("GET", "/epcis/queries"): any_of(T.READ_EVENTS),
    ("POST", "/epcis/queries"): any_of(T.READ_EVENTS),
    ("GET", "/epcis/queries/{name}"): any_of(T.READ_EVENTS),
    ("DELETE", "/epcis/queries/{name}"): any_of(T.READ_EVENTS),
    ("GET", "/epcis/queries/{name}/events"): any_of(T.READ_EVENTS),
    **{
        ("GET", f"/epcis/{kind}{part}"): any_of(T.READ_EVENTS)
        for kind in ("bizLocations", "bizSteps", "dispositions", "epcs", "eventTypes", "readPoints")
        for part in ("", "/{value}", "/{value}/events")
    },
    ("GET", "/epcis/eventTypes"): SELF,  # the standard's own words
}
"""A call of the API -> who may make it, with a key."""

OWN: Final[dict[tuple[str, str], Right]] = {
    ("GET", "/api/v1/me"): any_of(T.OWN_DATA),
    ("GET", "/api/v1/me/data"): any_of(T.OWN_DATA),
    ("GET", "/api/v1/me/data/opened"): any_of(T.OWN_DATA),
    ("GET", "/api/v1/me/looks"): any_of(T.OWN_DATA),
    ("GET", "/api/v1/me/erasure"): any_of(T.OWN_DATA),
    ("GET", "/api/v1/me/requests"): any_of(T.OWN_DATA),
    ("GET", "/api/v1/me/requests/{request_id}"): any_of(T.OWN_DATA),
    ("POST", "/api/v1/me/corrections"): any_of(T.OWN_DATA),
    ("POST", "/api/v1/me/erasure"): any_of(T.OWN_DATA),
    ("POST", "/api/v1/me/export"): any_of(T.OWN_DATA),
    ("POST", "/api/v1/me/objections"): any_of(T.OWN_DATA),
    ("POST", "/api/v1/me/restriction"): any_of(T.OWN_DATA),
    ("DELETE", "/api/v1/me/requests/{request_id}"): any_of(T.OWN_DATA),
}
"""A call of the API -> who may make it, in a session: never a key."""

OPEN_CALLS: Final = frozenset(
    {
        ("GET", "/api/v1/calendar"),
        ("GET", "/api/v1/facilities/{code}"),
        ("GET", "/api/v1/facilities/{code}/calendar"),
        ("GET", "/api/v1/items/{item_id}"),
        ("GET", "/api/v1/items/{item_id}/events"),
        ("GET", "/api/v1/items/{item_id}/proofs"),
        ("GET", "/api/v1/lanes/{origin}/{destination}"),
        ("GET", "/api/v1/tariff"),
        ("POST", "/api/v1/receipts"),
    }
)
"""What anybody may call; the log (/log/) is anybody's whole."""

FRESHLY_PROVEN: Final = frozenset(
    {
        "/app/account/app-codes",
        "/app/account/app-codes/off",
        "/app/account/join",
        "/app/account/passkeys/<int:passkey_id>/remove",
        "/app/account/passkeys/<int:passkey_id>/rename",
        "/app/account/passkeys/add",
        "/app/account/recovery-codes",
        "/app/desk/devices/<uuid:device_id>/revoke",
        "/app/desk/devices/enrol",
        "/app/desk/devices/enrolments/<uuid:enrolment_id>/withdraw",
        "/app/desk/items/<str:item_id>/erase",
        "/app/desk/items/<str:item_id>/legal-hold",
        "/app/desk/items/<str:item_id>/release-security",
        "/app/desk/hazmat-rules",
        "/app/desk/re-enrol",
        "/app/desk/rights/<uuid:request_id>",
        "/app/desk/two-people/erasures/<int:erasure_id>/agree",
        "/app/desk/two-people/erasures/<int:erasure_id>/refuse",
        "/app/desk/two-people/erasures/<int:erasure_id>/withdraw",
        "/app/desk/two-people/invitations/<uuid:invitation_id>/agree",
        "/app/desk/two-people/invitations/<uuid:invitation_id>/refuse",
        "/app/desk/two-people/invitations/<uuid:invitation_id>/withdraw",
        "/app/desk/two-people/requests/<uuid:request_id>/agree",
        "/app/desk/two-people/requests/<uuid:request_id>/refuse",
        "/app/desk/two-people/requests/<uuid:request_id>/withdraw",
        "/app/keys/<uuid:key_id>/grants/<uuid:grant_id>/end",
        "/app/keys/<uuid:key_id>/grants/new",
        "/app/keys/<uuid:key_id>/revoke",
        "/app/keys/<uuid:key_id>/rotate",
        "/app/keys/new",
        "/app/my-data/correct",
        "/app/my-data/erase",
        "/app/my-data/export",
        "/app/my-data/held",
        "/app/my-data/object",
        "/app/my-data/requests/<uuid:request_id>/end",
        "/app/my-data/restrict",
        "/app/organisation/members/<uuid:membership>/certificates",
        "/app/organisation/members/<uuid:membership>/certificates/<uuid:certificate_id>/revoke",
        "/app/organisation/members/<uuid:membership>/end",
        "/app/organisation/members/<uuid:membership>/hand-over",
        "/app/organisation/members/<uuid:membership>/role",
        "/app/organisations/<uuid:organisation_id>/invitations/<uuid:invitation_id>/withdraw",
        "/app/organisations/<uuid:organisation_id>/invite",
        "/app/organisations/<uuid:organisation_id>/places",
        "/app/organisations/<uuid:organisation_id>/suspend",
        "/app/organisations/make",
        *(f"/app/rules/<uuid:version_id>/{deed}" for deed in ("activate", "only-watch", "retire")),
        *(f"/app/rules/models/<uuid:model_id>/{deed}" for deed in ("choose", "retire")),
        "/app/rules/snoozes/new",
        "/app/webhooks/<uuid:endpoint_id>/change",
        "/app/webhooks/<uuid:endpoint_id>/remove",
        "/app/webhooks/<uuid:endpoint_id>/rotate",
        "/app/webhooks/new",
    }
)
"""Screens that open after a proof of at most ten minutes alone: what is done there outlives the session."""
