"""A household has 2^64 addresses of IPv6: a limit that counts each of them limits nobody."""

from __future__ import annotations

import uuid

import pytest
from django.test import RequestFactory

from parcelward.base.errors import TooMany
from parcelward.doors import throttle
from parcelward.people import queries


def test_all_addresses_of_one_network_are_one_to_a_limit():
    assert queries.network_of("2001:db8:1:2::7") == queries.network_of("2001:db8:1:2:ffff::9")
    assert queries.network_of("2001:db8:1:2::7") != queries.network_of("2001:db8:1:3::7")
    assert queries.network_of("::ffff:192.0.2.7") == queries.network_of("192.0.2.7") == "192.0.2.7"
    assert queries.network_of("no address") == "no address"


@pytest.mark.asvs("2.4.1")
def test_who_changes_the_address_within_a_network_is_told_to_wait(installation):
    bucket = f"test-{uuid.uuid4()}"
    asked = [RequestFactory().post("/", REMOTE_ADDR=f"2001:db8:1:2::{nth:x}") for nth in range(6)]
    for each in asked[:5]:
        throttle.allow(each, bucket, 5)
    with pytest.raises(TooMany):
        throttle.allow(asked[5], bucket, 5)
