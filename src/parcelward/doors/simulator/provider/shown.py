"""The provider's own pages, where a payer pays and where their bank asks. No card number is typed on either."""

from __future__ import annotations

from html import escape
from typing import Final, NamedTuple

from parcelward.base.standards import money
from parcelward.doors.simulator.provider.book import Book
from parcelward.doors.simulator.provider.words import METHODS, Thing

CARDS: Final = {
    "pm_card_visa": "A card that pays",
    "pm_card_authenticationRequired": "A card whose bank asks first (3-D Secure)",
    "pm_card_chargeDeclined": "A card that is declined",
    "pm_card_chargeDeclinedInsufficientFunds": "A card with too little on it",
    "pm_card_createDispute": "A card that pays, and whose holder then disputes the payment",
}
assert CARDS.keys() <= METHODS.keys(), "every card on the page is known"  # noqa: S101 -- a wrong name must stop the start

_PAGE: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
  body {{ font: 19px/1.4 system-ui, sans-serif; color: #14202b; background: #fff; max-width: 34rem;
         margin: 0 auto; padding: 24px 16px }}
  .mark {{ border-left: 4px solid #8a5a00; padding-left: 12px }}
  .amount {{ font-size: 32px; font-weight: 700; font-variant-numeric: tabular-nums; margin: 16px 0 }}
  label {{ display: flex; gap: 12px; align-items: center; min-height: 44px }}
  input {{ width: 24px; height: 24px; flex: none }}
  button {{ font: inherit; font-weight: 700; min-height: 44px; padding: 8px 24px; margin: 16px 12px 0 0; border: 0;
           background: #14406b; color: #fff; cursor: pointer }}
  button.plain {{ background: #f4f6f7; color: #14202b; box-shadow: inset 0 0 0 1px #5a6770 }}
  :focus-visible {{ outline: 3px solid #e3a008; outline-offset: 2px }}
  .bad {{ color: #b3261e; font-weight: 700 }} a {{ color: #14406b }} fieldset {{ border: 0; padding: 0; margin: 0 }}
  legend {{ font-weight: 700; padding: 0 }}
  @media (prefers-color-scheme: dark) {{
    body {{ background: #10171d; color: #e8edf1 }} a {{ color: #8fbce6 }} .bad {{ color: #ef8a80 }}
    button {{ background: #8fbce6; color: #10171d }} button.plain {{ background: #18222a; color: #e8edf1 }} }}
</style>
<body><main>
<p class="mark">Simulated payment provider. No money moves here, and no card is real.</p>
{inside}
</main></body></html>
"""


class Page(NamedTuple):
    """What is shown, or where the reader is sent."""

    status: int
    html: str
    to: str = ""


def payment_page(book: Book, key: str, *, said: str = "") -> Page:
    """Return the page where somebody pays one amount; once it is paid, the way back."""
    session = book.sessions.get(key)
    if session is None:
        return _page(404, "No such page", "<h1>There is no such page</h1>")
    if session["status"] == "complete":
        return Page(303, "", session["success_url"])
    if session["status"] != "open":
        back = f'<p><a href="{escape(session["cancel_url"])}">Go back</a></p>'
        return _page(200, "No longer open", f"<h1>This page is no longer open</h1><p>Nothing was paid.</p>{back}")
    intent = book.intents.get(session["payment_intent"] or "")
    asked = intent is not None and intent["status"] == "requires_action"
    return _page(200, "Pay", _bank(session, intent) if asked and intent else _choose(session, said))


def bank_page(book: Book, key: str) -> Page:
    """Return the page of a payer's bank for a payment that was begun without a page; then the way back."""
    intent = book.intents.get(key)
    if intent is None:
        return _page(404, "No such page", "<h1>There is no such page</h1>")
    if intent["status"] != "requires_action":
        return Page(303, "", intent["return_url"])
    return _page(200, "Your bank asks", _bank({**intent, "amount_total": intent["amount"]}, intent))


def _page(status: int, title: str, inside: str) -> Page:
    return Page(status, _PAGE.format(title=f"{title} (simulated)", inside=inside))


def _amount(thing: Thing) -> str:
    of = money.currency(thing["currency"].upper())
    return f'<p class="amount">{money.decimal(thing["amount_total"], of)} {of}</p>'


def _choose(session: Thing, said: str) -> str:
    bad = f'<p class="bad" role="alert">{escape(said)} Choose another card.</p>' if said else ""
    cards = "".join(
        f'<label><input type="radio" name="payment_method" value="{name}"{" checked" if not i else ""}>{words}</label>'
        for i, (name, words) in enumerate(CARDS.items())
    )
    return (
        f"<h1>{escape(session['name'])}</h1>{_amount(session)}{bad}"
        f'<form method="post"><fieldset><legend>Pay with</legend>{cards}</fieldset><button>Pay</button></form>'
        f'<p><a href="{escape(session["cancel_url"])}">Cancel and go back</a></p>'
    )


def _bank(thing: Thing, intent: Thing) -> str:
    return (
        f"<h1>Your bank asks: is this payment yours?</h1>{_amount(thing)}"
        f'<form method="post"><input type="hidden" name="payment_method" value="{intent["payment_method"]}">'
        '<button name="outcome" value="approved">Yes, approve</button>'
        '<button class="plain" name="outcome" value="refused">No, refuse</button></form>'
    )
