"""The key-encryption key in a hardware module: SoftHSM stands for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from pathlib import Path

import pytest
from django.utils import timezone

from parcelward.base.config import BadSetting
from parcelward.privacy.cipher import person_context
from parcelward.privacy.errors import KeysAway, NotAuthentic

MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
)
MODULE = next((path for path in MODULES if Path(path).exists()), "")
pkcs11 = pytest.importorskip("pkcs11", reason="python-pkcs11 is not installed (`pip install parcelward[hsm]`)")
pytestmark = pytest.mark.skipif(
    not MODULE or shutil.which("softhsm2-util") is None,
    reason="no SoftHSM: as root, `apt-get install softhsm2` brings it",
)

PERSON = uuid.uuid4()
WHOSE = person_context(PERSON, 1)
KEY = bytes(range(32))


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    folder = tmp_path_factory.mktemp("token")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    (folder / "pin").write_text("173205\n")
    (folder / "pin").chmod(0o600)
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    subprocess.run(
        ["softhsm2-util", "--init-token", "--free", "--label", "post", "--pin", "173205", "--so-pin", "271828"],
        check=True, capture_output=True,
    )  # fmt: skip
    yield f"pkcs11:token=post?module-path={MODULE}&pin-source={folder}/pin"
    if before is None:
        del os.environ["SOFTHSM2_CONF"]


@pytest.fixture
def keeper(uri):
    from parcelward.privacy.hardware import TokenKeeper

    return TokenKeeper(uri, in_use=lambda: False)


@pytest.mark.asvs("13.3.1")
def test_the_token_makes_the_key_and_never_gives_it_out(keeper):
    assert keeper.versions()[0] == 1
    key = keeper._asked(lambda session: keeper._key(session, 1))
    assert (key[pkcs11.Attribute.EXTRACTABLE], key[pkcs11.Attribute.SENSITIVE]) == (False, True)
    with pytest.raises(pkcs11.exceptions.AttributeSensitive):
        key[pkcs11.Attribute.VALUE]


def test_what_it_wraps_opens_for_the_same_person_alone(keeper):
    number = keeper.versions()[-1]
    wrapped = keeper.wrap(KEY, WHOSE, number)
    assert KEY not in wrapped
    assert keeper.unwrap(wrapped, WHOSE, number) == KEY
    for who, version, given in (
        (uuid.uuid4(), 1, wrapped),
        (PERSON, 2, wrapped),
        (PERSON, 1, wrapped[:-1] + bytes([wrapped[-1] ^ 1])),
        (PERSON, 1, wrapped[:-8]),
        (PERSON, 1, b""),
    ):
        with pytest.raises((NotAuthentic, KeysAway)):
            keeper.unwrap(given, person_context(who, version), number)
    with pytest.raises(KeysAway):
        keeper.unwrap(wrapped, WHOSE, 77)


def test_versions_are_made_used_side_by_side_and_destroyed(keeper):
    old = keeper.versions()[-1]
    wrapped = keeper.wrap(KEY, WHOSE, old)
    new = keeper.make(now=timezone.now())
    again = keeper.wrap(keeper.unwrap(wrapped, WHOSE, old), WHOSE, new)
    assert keeper.unwrap(again, WHOSE, new) == keeper.unwrap(wrapped, WHOSE, old) == KEY
    keeper.destroy(old)
    assert old not in keeper.versions()
    with pytest.raises(KeysAway):
        keeper.unwrap(wrapped, WHOSE, old)


def test_a_lost_session_is_opened_again(keeper):
    number = keeper.versions()[-1]
    wrapped = keeper.wrap(KEY, WHOSE, number)
    keeper._session.close()
    assert keeper.unwrap(wrapped, WHOSE, number) == KEY


def test_an_address_that_would_show_the_pin_or_says_too_little_is_refused(uri, tmp_path):
    from parcelward.privacy.hardware import TokenKeeper, _pin

    for bad in ("pkcs11:token=post", "pkcs11:?module-path=/x&pin-source=/y", uri + "&pin-value=1234"):
        with pytest.raises(BadSetting):
            TokenKeeper(bad, in_use=lambda: False)
    pin = tmp_path / "pin"
    pin.write_text("1234")
    pin.chmod(0o644)
    with pytest.raises(BadSetting) as refused:
        _pin(pin)
    assert "chmod 600" in str(refused.value)


def test_a_wrong_pin_is_said_and_the_pin_is_not(uri, tmp_path):
    from parcelward.privacy.hardware import TokenKeeper

    pkcs11.lib(MODULE).reinitialize()  # nobody is signed in
    pin = tmp_path / "pin"
    pin.write_text("999999")
    pin.chmod(0o600)
    other = TokenKeeper(uri.rpartition("&")[0] + f"&pin-source={pin}", in_use=lambda: False)
    with pytest.raises(KeysAway) as refused:
        other.versions()
    assert "999999" not in str(refused.value)
