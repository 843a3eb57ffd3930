"""The addresses below `/easypost/v2/`, as EasyPost's clients ask them."""

from __future__ import annotations

from django.urls import URLPattern, path

from parcelward.doors.easypost import absent, addresses, labels, parcels, refunds, scan_forms, shipments, trackers
from parcelward.doors.easypost.http import address

urlpatterns: list[URLPattern] = [
    path("addresses", address(POST=addresses.create, GET=addresses.listed)),
    path("addresses/create_and_verify", address(POST=addresses.create_and_verify)),
    path("addresses/<str:address_id>", address(GET=addresses.retrieve)),
    path("addresses/<str:address_id>/verify", address(GET=addresses.verify)),
    path("parcels", address(POST=parcels.create)),
    path("parcels/<str:parcel_id>", address(GET=parcels.retrieve)),
    path("customs_items", address(POST=parcels.create_item)),
    path("customs_items/<str:item_id>", address(GET=parcels.retrieve_item)),
    path("customs_infos", address(POST=parcels.create_info)),
    path("customs_infos/<str:info_id>", address(GET=parcels.retrieve_info)),
    path("shipments", address(POST=shipments.create, GET=shipments.listed)),
    path("shipments/<str:shipment_id>", address(GET=shipments.retrieve)),
    path("shipments/<str:shipment_id>/buy", address(POST=shipments.buy)),
    path("shipments/<str:shipment_id>/rerate", address(POST=shipments.rerate)),
    path("shipments/<str:shipment_id>/label", address(GET=shipments.label)),
    path("shipments/<str:shipment_id>/insure", address(POST=absent.insure)),
    path("shipments/<str:shipment_id>/refund", address(POST=refunds.of_shipment)),
    path("rates/<str:rate>", address(GET=shipments.retrieve_rate)),
    path("trackers", address(POST=trackers.create, GET=trackers.listed)),
    path("trackers/batch", address(POST=trackers.create_many)),
    path("trackers/<str:tracker_id>", address(GET=trackers.retrieve)),
    path("refunds", address(POST=refunds.create, GET=refunds.listed)),
    path("refunds/<str:refund_id>", address(GET=refunds.retrieve)),
    path("scan_forms", address(POST=scan_forms.create, GET=scan_forms.listed)),
    path("scan_forms/<str:form_id>", address(GET=scan_forms.retrieve)),
    path("labels/<str:token>.<str:form>", labels.fetch),
    path("<str:name>", address(GET=absent.family, POST=absent.family)),
    path("<str:name>/<path:rest>", address(GET=absent.family, POST=absent.family)),
]
