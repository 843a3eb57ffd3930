"""The words for tasks and kinds of organisation: what the roles' page, and everything about rights, is written with."""

from __future__ import annotations

from django.utils.translation import gettext as _

from parcelward.people.wire import OrganisationKind, Task


def kind_of_organisation(kind: OrganisationKind) -> str:
    """Return what a kind of organisation is called."""
    said = {
        OrganisationKind.OPERATOR: _("operator"),
        OrganisationKind.SENDER: _("sender"),
        OrganisationKind.PARTNER: _("partner post"),
        OrganisationKind.CONTRACTOR: _("carrier contractor"),
        OrganisationKind.LAW_ENFORCEMENT: _("law enforcement"),
    }
    return said[kind]


def task_says(task: Task) -> str:
    """Return what a task is, as the end of "may ..."."""
    return (_parcel_task(task) or _people_task(task) or _personal_task(task) or task.replace("_", " ")).strip()


def _parcel_task(task: Task) -> str:
    said = {
        Task.SCAN: _("record scans"),
        Task.ACCEPT_HAZMAT: _("accept dangerous goods"),
        Task.PHOTOGRAPH: _("have marks read on a photo of a parcel"),
        Task.WRITE_HAZMAT_RULES: _("write and agree to rules for dangerous goods"),
        Task.CAPTURE: _("send events and manifests by program"),
        Task.READ_EVENTS: _("read events by program"),
        Task.HOLD: _("hold a parcel"),
        Task.RELEASE: _("release a parcel that is held"),
        Task.RELEASE_SECURITY: _("release a parcel that is held for security"),
        Task.CORRECT: _("declare anybody's event wrong"),
        Task.READ_DESK: _("see the desk"),
        Task.REPAIR: _("repair events and close alerts"),
        Task.EDIT_NETWORK: _("edit places and lanes"),
        Task.REPLACE_LOG_KEY: _("replace the log's signing key"),
        Task.SHRED: _("erase a parcel's record, or keep it under a legal hold"),
        Task.IMPORT: _("import events from a file"),
        Task.MAKE_BUNDLE: _("make evidence for somebody outside"),
        Task.MAKE_LINK: _("make a link for the addressee"),
        Task.SEAL_LABEL: _("seal a label's address"),
        Task.RELABEL: _("label a parcel anew that was handed in"),
        Task.READ_BALANCE: _("see one's own balance and payments"),
        Task.READ_MONEY: _("see anybody's payments, and what differs from the provider's report"),
        Task.PAY_IN: _("pay into the postage balance"),
        Task.MANAGE_WEBHOOKS: _("say which systems of one's own organisation are told what happens"),
        Task.GIVE_BACK: _("give back a payment, or a part of it"),
        Task.ANSWER_DISPUTE: _("answer a disputed payment"),
        Task.RECONCILE: _("close differences with the payment provider"),
        Task.READ_DECISIONS: _("see what was decided about anybody's orders, and the rules"),
        Task.REVIEW_DECISION: _("let a stopped order go on, or refuse it"),
        Task.WRITE_RULES: _("write rules and try them in shadow"),
        Task.ACTIVATE_RULE: _("let a rule decide about orders"),
        Task.SNOOZE_RULE: _("let a rule not count for one customer for a time"),
        Task.LEARN_OUTCOME: _("note that an order was fraud, or was not"),
        Task.CHOOSE_MODEL: _("let a model score orders, or take it away"),
        Task.APPEAL: _("contest what was decided about one's own order"),
        Task.LEND_KEYS: _("lend an office's key to a courier for a round"),
        Task.OPEN_LABEL: _("open one's own part of a sealed label"),
        Task.CONTACT: _("open and close a masked contact"),
    }
    return said.get(task, "")


def _people_task(task: Task) -> str:
    said = {
        Task.ENROL_DEVICE: _("enrol and revoke devices"),
        Task.MANAGE_KEYS: _("make and revoke API keys"),
        Task.GRANT_SPENDING: _("let a key cost money, up to a cap"),
        Task.MANAGE_PEOPLE: _("lock and unlock accounts"),
        Task.MANAGE_MEMBERS: _("invite people, end their roles, hand the organisation over"),
        Task.MANAGE_ORGANISATIONS: _("make, suspend and resume organisations"),
        Task.CHANGE_ROLES: _("change a colleague's role"),
        Task.RE_ENROL: _("replace a colleague's lost passkey at a counter"),
        Task.CERTIFY: _("note that somebody passed a training"),
        Task.PROVE_SELF: _("have one's own identity or address proven"),
        Task.PROVE_OTHERS: _("check somebody's document at the counter"),
        Task.REVIEW_PROOFS: _("decide on proofs of identity in fraud review"),
    }
    return said.get(task, "")


def _personal_task(task: Task) -> str:
    said = {
        Task.KEEP_PERSONAL: _("put somebody's data into the vault"),
        Task.REVEAL: _("see personal data, for a purpose that leaves a trace"),
        Task.FIND_PERSON: _("find somebody by name or address"),
        Task.READ_TRAIL: _("see who looked at whose data"),
        Task.OWN_DATA: _("see and decide about one's own data"),
        Task.ANSWER_RIGHTS: _("decide on what people ask of their data"),
        Task.SHRED_PERSON: _("erase what is held of a person"),
        Task.DISCLOSE: _("hand data to an authority"),
        Task.KEEP_RETENTION: _("see and run what the nightly round forgets"),
        Task.TURN_KEYS: _("turn the keys that encrypt personal data"),
    }
    return said.get(task, "")


def document_name(document: str) -> str:
    """Return what a document that was seen is called."""
    said = {
        "passport": _("passport"),
        "identity_card": _("identity card"),
        "driving_licence": _("driving licence"),
        "staff_card": _("staff card with a picture"),
    }
    return said.get(document, document)
