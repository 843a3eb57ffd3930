"""Levels, letters and checks in words: one table each, for who reads them."""

from __future__ import annotations

from typing import NamedTuple

from django.utils.translation import gettext as _

from parcelward.people.wire import CounterState, Document, LetterState, Level


class LevelWords(NamedTuple):
    """One level: what it is, what it opens, how one gets there."""

    level: Level
    name: str
    opens: str
    how: str
    reached: bool


def levels(mine: Level) -> list[LevelWords]:
    """Return the three levels, and which of them are reached."""
    said = [
        (
            Level.MESSAGE,
            _("Your e-mail address or telephone"),
            _("Messages about your own parcels, and signing in with a code."),
            _("You type a code that we send when you sign in."),
        ),
        (
            Level.ADDRESS,
            _("Your address"),
            _("Seeing what is coming to your address, and changing where and when it is delivered."),
            _("You type a code from a letter that we send there."),
        ),
        (
            Level.IDENTITY,
            _("Who you are"),
            _("Collecting for others, and everything above for the address that the clerk checked."),
            _("You show a document at a counter."),
        ),
    ]
    return [LevelWords(level, name, opens, how, mine >= level) for level, name, opens, how in said]


def headline(mine: Level) -> str:
    """Return the level as one sentence."""
    return {
        Level.NOTHING: _("You have not proven anything yet"),
        Level.MESSAGE: _("You have proven your e-mail address or telephone"),
        Level.ADDRESS: _("You have proven your address"),
        Level.IDENTITY: _("You have proven who you are"),
    }[mine]


def letter(state: LetterState) -> str:
    """Return where a letter stands, for who waits for it."""
    return {
        LetterState.REQUESTED: _("Your letter is waiting to be printed."),
        LetterState.PRINTED: _("Your letter is on its way. Enter its code when it arrives."),
        LetterState.CONFIRMED: _("You have entered the code of your letter."),
        LetterState.EXPIRED: _(
            "The code of your letter is over: its time has passed, or a wrong one was entered too often."
        ),
        LetterState.CANCELLED: _("You have cancelled your letter, or its address was changed."),
    }[state]


def check(state: CounterState) -> str:
    """Return where a check at the counter stands, for who goes there."""
    return {
        CounterState.PENDING: _(
            "Show your barcode at a counter. We tell you the result here, an hour after you were there."
        ),
        CounterState.PASSED: _("Your identity was checked."),
        CounterState.FAILED: _(
            "Your identity could not be checked. You can try again, with another document if you have one."
        ),
        CounterState.EXPIRED: _("Your barcode is too old. You can get a new one."),
        CounterState.CANCELLED: _("You have cancelled the check at the counter, or its address was changed."),
        CounterState.IN_FRAUD_REVIEW: _(
            "Somebody is looking at your check once more. You need do nothing; we tell you here."
        ),
    }[state]


def document(kind: Document) -> str:
    """Return what a kind of document is called."""
    return {
        Document.PASSPORT: _("Passport"),
        Document.IDENTITY_CARD: _("Identity card"),
        Document.DRIVING_LICENCE: _("Driving licence"),
        Document.RESIDENCE_PERMIT: _("Residence permit"),
    }[kind]


def decision(state: CounterState) -> str:
    """Return what a clerk's or an inspector's decision is called."""
    return {
        CounterState.PASSED: _("Passed: all of it is as it should be"),
        CounterState.FAILED: _("Failed: something is missing or does not match"),
        CounterState.IN_FRAUD_REVIEW: _("Something is wrong here: an inspector should look"),
    }[state]
