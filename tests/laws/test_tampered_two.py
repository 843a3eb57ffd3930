"""Requests for two people, invitations and certificates that are turned afterwards: `verify-log` finds each."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid

import pytest
from tests.laws.tampering import change, difference, sequenced
from tests.people.staffing import acting, member, operator, somebody

from parcelward.base import config
from parcelward.parcels.queries import verify_log
from parcelward.people import actions
from parcelward.people.wire import Role

pytestmark = pytest.mark.usefixtures("clean")
TODAY = dt.date(2026, 11, 26)


@dataclasses.dataclass(frozen=True)
class Asked:
    """What there is to turn."""

    open: uuid.UUID
    agreed: uuid.UUID
    refused: uuid.UUID
    invitation: uuid.UUID
    second: uuid.UUID  # an invitation that a second person agreed to
    withdrawn: uuid.UUID
    certificate: uuid.UUID
    revoked: uuid.UUID


@pytest.fixture(scope="module")
def asked(installation) -> Asked:
    anna, ben = somebody(Role.ADMINISTRATOR), somebody(Role.ADMINISTRATOR)
    requests = [actions.ask_for_role(member(Role.CLERK)[1].id, Role.SORTER, "asked", by=anna) for _ in range(3)]
    actions.agree_to_role(requests[1], by=ben)
    actions.refuse_request(requests[2], by=ben)
    roles = (Role.ADMINISTRATOR, Role.ADMINISTRATOR, Role.CLERK)
    invitations = [actions.invite(operator(), role, by=anna)[0] for role in roles]
    actions.agree_to_invitation(invitations[1], by=ben)
    actions.withdraw_invitation(invitations[2], by=anna)
    clerk = acting(*member(Role.CLERK))
    days = [TODAY, TODAY + dt.timedelta(days=1)]
    noted = [actions.certify(clerk.id, "dangerous_goods", valid_from=TODAY, valid_until=day, by=anna) for day in days]
    actions.revoke_certificate(noted[1], by=anna)
    sequenced()
    return Asked(*requests, *invitations, *noted)


def test_what_nobody_turned_holds(asked: Asked) -> None:
    assert verify_log(config.get()).facts > 0


_TWO, _INVITED, _NOTED = "people_twopeople", "people_invitation", "people_certificate"
TURNED = {
    "an invitation that replaces somebody's passkey": (
        "invitation",
        (
            f"UPDATE {_INVITED} SET re_enrols = true, user_id = (SELECT min(id::text)::uuid FROM people_user) "
            "WHERE id = %(invitation)s"
        ),
    ),
    "an invitation that nobody took": ("invitation", f"UPDATE {_INVITED} SET taken_at = now() WHERE id = %(second)s"),
    "an invitation that opens again": (
        "invitation",
        (
            f"UPDATE {_INVITED} SET taken_at = NULL WHERE id = "
            f"(SELECT id FROM {_INVITED} WHERE taken_at IS NOT NULL LIMIT 1)"
        ),
    ),
    "a request gone": ("two_people", f"DELETE FROM {_TWO} WHERE id = %(open)s"),
    "one more": (
        "two_people",
        (
            f"INSERT INTO {_TWO} SELECT gen_random_uuid(), task, 'other', about, reason, asked_at, expires_at, "
            f"outcome, closed_at, asked_by_id, closed_by_id FROM {_TWO} WHERE id = %(open)s"
        ),
    ),
    "another task": ("two_people", f"UPDATE {_TWO} SET task = 're_enrol' WHERE id = %(open)s"),
    "another role": (
        "two_people",
        f"UPDATE {_TWO} SET about = jsonb_set(about, '{{to}}', '\"administrator\"') WHERE id = %(open)s",
    ),
    "another reason": ("two_people", f"UPDATE {_TWO} SET reason = 'none' WHERE id = %(open)s"),
    "asked by another": ("two_people", f"UPDATE {_TWO} SET asked_by_id = closed_by_id WHERE id = %(agreed)s"),
    "open for longer": (
        "two_people",
        f"UPDATE {_TWO} SET expires_at = 'tomorrow' WHERE id = %(open)s",
    ),
    "agreed, and nobody did": (
        "two_people",
        f"UPDATE {_TWO} SET outcome = 'agreed', closed_by_id = asked_by_id, closed_at = now() WHERE id = %(open)s",
    ),
    "refused, and was agreed to": ("two_people", f"UPDATE {_TWO} SET outcome = 'refused' WHERE id = %(agreed)s"),
    "open, and was refused": (
        "two_people",
        f"UPDATE {_TWO} SET outcome = '', closed_by_id = NULL, closed_at = NULL WHERE id = %(refused)s",
    ),
    "an invitation gone": ("invitation", f"DELETE FROM {_INVITED} WHERE id = %(invitation)s"),
    "another code": (
        "invitation",
        f"UPDATE {_INVITED} SET digest = sha256('known to a thief') WHERE id = %(second)s",
    ),
    "to another role": ("invitation", f"UPDATE {_INVITED} SET role = 'administrator' WHERE id = %(withdrawn)s"),
    "as its owner": ("invitation", f"UPDATE {_INVITED} SET owner = true WHERE id = %(invitation)s"),
    "nobody agreed": ("invitation", f"UPDATE {_INVITED} SET agreed_by_id = made_by_id WHERE id = %(invitation)s"),
    "somebody had agreed": ("invitation", f"UPDATE {_INVITED} SET agreed_by_id = NULL WHERE id = %(second)s"),
    "open again": ("invitation", f"UPDATE {_INVITED} SET withdrawn_at = NULL WHERE id = %(withdrawn)s"),
    "for longer": (
        "invitation",
        f"UPDATE {_INVITED} SET expires_at = expires_at + interval '1 d' WHERE id = %(invitation)s",
    ),
    "a certificate gone": ("certificate", f"DELETE FROM {_NOTED} WHERE id = %(certificate)s"),
    "one that nobody noted": (
        "certificate",
        (
            f"INSERT INTO {_NOTED} SELECT gen_random_uuid(), training, valid_from, valid_until, noted_at, "
            f"revoked_at, noted_by_id, revoked_by_id, user_id FROM {_NOTED} WHERE id = %(certificate)s"
        ),
    ),
    "valid for longer": (
        "certificate",
        f"UPDATE {_NOTED} SET valid_until = '2030-1-1' WHERE id = %(certificate)s",
    ),
    "no longer revoked": (
        "certificate",
        f"UPDATE {_NOTED} SET revoked_at = NULL, revoked_by_id = NULL WHERE id = %(revoked)s",
    ),
    "revoked, and was not": ("certificate", f"UPDATE {_NOTED} SET revoked_at = now() WHERE id = %(certificate)s"),
}


@pytest.mark.parametrize("what", TURNED)
def test_it_is_found(asked: Asked, what: str) -> None:
    differs, statement = TURNED[what]
    change(statement, dataclasses.asdict(asked))
    assert difference().differs == differs
