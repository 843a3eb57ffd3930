"""The addresses of the screens. Included at the root by `parcelward.doors.urls`."""

from __future__ import annotations

from django.urls import include, path

from parcelward.doors.portals import (
    assets,
    balance,
    contacts,
    counter_proofing,
    courier_label,
    desk,
    desk_correct,
    desk_erase,
    devices,
    enrolling,
    keys,
    lending,
    members,
    mydata,
    mydata_desk,
    places_given,
    proof,
    proofing,
    public,
    tenants,
    two_people,
    webhooks,
)
from parcelward.doors.portals.accounts import urls as accounts

urlpatterns = [
    path("", public.home, name="home"),
    path("track/<str:item_id>", public.track, name="track"),
    path("track/<str:item_id>/proof", proof.proof, name="proof"),
    path("check-message", public.check_message, name="check_message"),
    path("terms", public.terms, name="terms"),
    path("language/<str:code>", public.language, name="language"),
    path("static/<path:name>", assets.serve, name="asset"),
    *accounts.urlpatterns,
    *tenants.urlpatterns,
    *members.urlpatterns,
    *places_given.urlpatterns,
    *two_people.urlpatterns,
    *desk_erase.urlpatterns,
    path("app/", desk.start, name="start"),
    path("app/desk/", desk.desk, name="desk"),
    path("app/desk/alerts/<int:alert_id>/close", desk.close_alert, name="close_alert"),
    path("app/desk/quarantine/<int:quarantine_id>/resubmit", desk.resubmit, name="resubmit"),
    path("app/desk/quarantine/<int:quarantine_id>/dismiss", desk.dismiss, name="dismiss"),
    path("app/desk/items/<str:item_id>/hold", desk.hold, name="hold"),
    path("app/desk/items/<str:item_id>/events/<str:event_key>/correct", desk_correct.correct, name="correct"),
    path("app/desk/items/<str:item_id>/release", desk.release, name="release"),
    path("", include(proofing.urlpatterns)),
    path("", include(counter_proofing.urlpatterns)),
    path("", include(contacts.urlpatterns)),
    path("", include([*balance.urlpatterns, *webhooks.urlpatterns])),
    path("", include([*mydata.urlpatterns, *mydata_desk.urlpatterns])),
    path("", include([*devices.urlpatterns, *keys.urlpatterns, *enrolling.urlpatterns])),
    path("", include([*courier_label.urlpatterns, *lending.urlpatterns])),
]
