"""Whatever one byte or field of a rightly signed answer is turned into: nobody gets in, and nothing breaks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.attacks.passkey_door import Near, bent, shape
from tests.passkey import b64, unb64

from parcelward.people.models import Passkey, SignedIn, User

PARTS = ("clientDataJSON", "authenticatorData", "signature", "userHandle")
PATHS = [("id",), ("rawId",), ("type",), ("response",), *(("response", part) for part in PARTS)]
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=80),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
SOMEWHERE = st.integers(0, 1_000_000)
LETTERS = st.characters(codec="utf-8")


@st.composite
def turned(draw: st.DrawFn, raw: bytes) -> bytes:
    """Return `raw` with a byte changed, taken out or put in, or cut short."""
    at = draw(SOMEWHERE) % len(raw)  # how long a signature is differs from run to run
    how = draw(st.sampled_from(("change", "take", "put", "cut")))
    byte = draw(st.binary(min_size=1, max_size=3))
    if how == "change":
        return raw[:at] + bytes([raw[at] ^ draw(st.integers(1, 255))]) + raw[at + 1 :]
    return {"take": raw[:at] + raw[at + 1 :], "put": raw[:at] + byte + raw[at:], "cut": raw[:at]}[how]


def mutated(data: st.DataObject, answer: dict[str, Any], parts: tuple[str, ...], paths: list[tuple[str, ...]]) -> str:
    """Return the answer with one byte of a part, one field, or one letter of its whole text turned."""
    how = data.draw(st.sampled_from(("byte", "field", "letter")))
    if how == "byte":
        part = data.draw(st.sampled_from(parts))
        to = data.draw(turned(unb64(answer["response"][part])))
        return json.dumps(bent(answer, "response", part, to=b64(to)))
    if how == "field":
        return json.dumps(bent(answer, *data.draw(st.sampled_from(paths)), to=data.draw(ANY)))
    text = json.dumps(answer)
    begin, end = text.index('"id"'), text.index('"clientExtensionResults"')
    at = begin + data.draw(SOMEWHERE) % (end - begin)
    return text[:at] + data.draw(LETTERS) + text[at + 1 :]


@pytest.fixture(scope="module")
def joined(installation):
    from parcelward.people import actions
    from parcelward.people.models import Organisation
    from parcelward.people.wire import Role

    browser = Near()
    operator = Organisation.objects.get(kind="operator").id
    _, code = actions.invite(operator, Role.CLERK, by=actions.installer())
    assert browser.join(f"#code={code}").status_code == 302
    browser.sign_out()
    return browser


@settings(max_examples=300)
@given(data=st.data())
def test_no_mutation_of_a_valid_answer_signs_in(joined, data):
    browser = Near()  # an address of its own for every try: the throttle would hide what is behind it
    browser.passkey = joined.passkey
    answer = browser.passkey.get(browser.options())
    text = mutated(data, answer, PARTS, PATHS)
    before = SignedIn.objects.count()
    said = browser.answer(text)
    same = json.loads(text) == answer if said.status_code == 302 else False
    assert same or said.status_code == 401, (text, shape(said)[0])
    if not same:
        assert not browser.signed_in()
        assert SignedIn.objects.count() == before
    browser.http.close()


MADE = ("clientDataJSON", "attestationObject")
MADE_PATHS = [("id",), ("rawId",), ("type",), ("response",), *(("response", part) for part in MADE)]


@settings(max_examples=200)
@given(data=st.data())
def test_what_joins_with_a_mutated_passkey_is_the_passkey_that_signs(installation, data):
    """An attestation is not signed, so a mutation may be harmless, as of the device's model: then the key is whole."""
    from parcelward.people import actions
    from parcelward.people.models import Organisation
    from parcelward.people.wire import Role

    operator = Organisation.objects.get(kind="operator").id
    _, code = actions.invite(operator, Role.CLERK, by=actions.installer())
    browser = Near()
    fields, options = browser.offered(f"#code={code}")
    before = User.objects.count(), Passkey.objects.count()
    said = browser.finish(fields, mutated(data, browser.passkey.create(options), MADE, MADE_PATHS))
    if said.status_code == 302:
        browser.sign_out()
        stored = Passkey.objects.get(user_id=browser.passkey.user_handle.decode())
        browser.passkey.count = stored.signatures
        answer = browser.passkey.get(browser.options(), flags=0x05 | _backup(stored))
        assert browser.answer(answer).status_code == 302
    else:
        assert said.status_code in {401, 404}, said.text
        assert (User.objects.count(), Passkey.objects.count()) == before
    browser.http.close()


def _backup(stored: Passkey) -> int:
    return int(stored.authenticator.wrap().authenticator_data.flags) & 0x08
