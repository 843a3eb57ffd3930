"""What people read: for each rule what it means and what to change, the questions, and the way to a person.

Texts are written once and shared; a test holds that every rule and every question has its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

APPEAL: Final = _("You think this is wrong? Ask for a person: somebody who is trained in dangerous goods looks again.")

_NOTHING: Final = _("There is nothing to change.")
_ASK: Final = _("Answer the next question, or let us look at the counter.")
_SAY_MORE: Final = _("Say what it is in plain words: what it does, and what is in it.")
_LABEL: Final = _("Look at the label or ask the maker for the safety data sheet, and answer the question again.")
_TAKE_OUT: Final = _("Take it out and send the rest, or ask a carrier of dangerous goods.")
_NOT_BY_POST: Final = _("It cannot be posted. Ask a carrier of dangerous goods, or dispose of it where you live.")
_GROUND: Final = _("Choose the service by road, and let us put the surface mark on it.")
_HOME_ONLY: Final = _("It can be posted, if at all, within the country only.")
_SMALLER: Final = _("Send a smaller one, within the limit that is named.")
_PUT_RIGHT: Final = _("Put right what does not agree, or explain it to a person.")
_STAFF: Final = _("Keep the papers at hand: a trained person decides, and may ask for them.")
_CLEAN: Final = _("Empty it, clean it and let it dry, or send it new.")

_ABROAD: Final = _("Goods of this kind may not be posted to another country, by air or by road.")
_LITHIUM_ASK: Final = _(
    "There seems to be a lithium battery in it. How large it is, and where, decides how it may travel."
)
_BATTERY_ASK: Final = _("There may be a battery in it. Whether, and of which kind, decides how it may travel.")
_SIZE_ASK: Final = _("How much is in one container decides whether it may be posted.")
_STRENGTH_ASK: Final = _("How strong it is decides whether it may be posted.")
_EXPLOSIVE: Final = _("Fireworks, ammunition and everything else that explodes may not be posted.")
_DISAGREE: Final = _("What was written, ticked and numbered does not agree, so a person must look before it moves.")
_BY_ROAD: Final = _("It may be posted by road, never by air.")
_BURNS: Final = _("It burns so easily that it may not be posted.")
_TOO_LARGE: Final = _("There is more of it than may be posted.")
_POISON: Final = _("Poisons of this strength may not be posted.")
_SAMPLE_ASK: Final = _("Samples travel by what they may carry: exempt, category B or category A.")
_TRAINED: Final = _("Goods of this kind move only when a trained person has decided.")
_UNKNOWN: Final = _("We do not understand what this is.")
_DAMAGED: Final = _("A battery that is damaged, swollen or recalled can catch fire. It may not be posted.")
_TWO_BATTERIES: Final = _("There are more cells or batteries in it than one parcel may hold.")
_NAME: Final = _("The name does not say whether it is dangerous.")
_SEALED: Final = _("Batteries without their device travel only in the sealed packing of the shop.")

RULES: Final[Mapping[str, tuple[Any, Any]]] = {
    "harmless": (_("Nothing dangerous was found in it."), _NOTHING),
    "unreadable": (_("The description is too long, or in letters that we do not read."), _SAY_MORE),
    "not-understood": (_UNKNOWN, _SAY_MORE),
    "declared-harmless": (_DISAGREE, _PUT_RIGHT),
    "operator-rule": (_("Our own rule for this number applies."), _STAFF),
    "id-unknown": (_("This number of dangerous goods is not in our table, so it waits for a person."), _STAFF),
    "id-unreadable": (_("This is no number of dangerous goods: it has two letters and four digits."), _PUT_RIGHT),
    "id-contradiction": (_DISAGREE, _PUT_RIGHT),
    "id-abroad": (_ABROAD, _HOME_ONLY),
    "id-never": (_("Goods with this number may not be posted at all."), _NOT_BY_POST),
    "id-by-class": (_TRAINED, _STAFF),
    "id-not-by-air": (_BY_ROAD, _GROUND),
    "limited-quantity": (_TOO_LARGE, _NOT_BY_POST),
    "packing-group-not-said": (
        _("How dangerous it is decides how much may be posted: the packing group is missing."),
        _LABEL,
    ),
    "tariff-look": (_("The tariff number stands for goods that may be dangerous."), _ASK),
    "tariff-contradiction": (_DISAGREE, _PUT_RIGHT),
    "battery-contradiction": (_DISAGREE, _PUT_RIGHT),
    "battery-damaged": (_DAMAGED, _NOT_BY_POST),
    "battery-wet": (_("A battery that is filled with acid may not be posted."), _NOT_BY_POST),
    "battery-nonspillable": (_BY_ROAD, _GROUND),
    "battery-lead-unknown": (_("Whether acid can run out of this battery decides whether it may be posted."), _LABEL),
    "battery-unknown": (_BATTERY_ASK, _ASK),
    "battery-not-said": (_BATTERY_ASK, _ASK),
    "vehicle-unknown": (_("Vehicles of this kind mostly have a battery that is too large to be posted."), _LABEL),
    "vape": (_("Electronic cigarettes and what belongs to them may not be posted."), _NOT_BY_POST),
    "sodium-ion": (_("Sodium batteries have no rule in our table yet, so a person must decide."), _STAFF),
    "lithium-unknown": (_LITHIUM_ASK, _ASK),
    "lithium-size-not-said": (_LITHIUM_ASK, _ASK),
    "lithium-number-not-said": (_LITHIUM_ASK, _ASK),
    "lithium-place-not-said": (_LITHIUM_ASK, _ASK),
    "lithium-too-large": (_("This lithium battery is larger than may be posted."), _NOT_BY_POST),
    "lithium-too-many": (_TWO_BATTERIES, _("Send fewer in one parcel.")),
    "lithium-abroad-not-installed": (
        _("To another country a lithium battery travels only inside its device."),
        _HOME_ONLY,
    ),
    "lithium-alone": (_("Lithium batteries without their device never fly."), _GROUND),
    "lithium-alone-opened": (_SEALED, _NOT_BY_POST),
    "lithium-alone-seal-not-said": (_SEALED, _ASK),
    "lithium-alone-too-heavy": (_TWO_BATTERIES, _("Send fewer in one parcel.")),
    "lithium-used": (_("A used device with a lithium battery never flies."), _GROUND),
    "lithium-with-device": (_("Small lithium batteries may travel with their device."), _NOTHING),
    "explosive": (_EXPLOSIVE, _NOT_BY_POST),
    "in-doubt": (_("One word of it names something dangerous, the rest does not: a person looks."), _SAY_MORE),
    "fuse": (_("There may be a fuse in it, electric or for fireworks."), _ASK),
    "gas": (_("Gas under pressure moves only when a trained person has decided."), _STAFF),
    "gas-abroad": (_ABROAD, _HOME_ONLY),
    "gas-toxic": (_("Poisonous gas and tear gas may not be posted."), _NOT_BY_POST),
    "gas-flammable": (_("There is more flammable gas in it than may be posted."), _NOT_BY_POST),
    "gas-flammable-small": (_BY_ROAD, _GROUND),
    "gas-flammable-size-not-said": (_SIZE_ASK, _LABEL),
    "aerosol": (_("A spray can may be posted by road, never by air."), _GROUND),
    "aerosol-size-not-said": (_SIZE_ASK, _ASK),
    "aerosol-too-large": (_TOO_LARGE, _SMALLER),
    "lighter": (_("A lighter with gas or fuel needs an approval of its design."), _("Send it new and never filled.")),
    "liquor": (_("Drinks with alcohol may not be posted."), _NOT_BY_POST),
    "flash-point-low": (_BURNS, _NOT_BY_POST),
    "flash-point-not-said": (_("How easily it burns decides whether it may be posted: its flash point."), _LABEL),
    "flammable": (_("A liquid that burns may be posted by road, never by air."), _GROUND),
    "flammable-abroad": (_ABROAD, _HOME_ONLY),
    "flammable-size-not-said": (_SIZE_ASK, _ASK),
    "flammable-too-large": (_TOO_LARGE, _SMALLER),
    "flammable-metal-only": (_("So much of it may be posted in metal only; a person looks."), _SMALLER),
    "liquid-contradiction": (_("A liquid of this kind mostly burns, and it was said that it does not."), _LABEL),
    "paint-not-said": (_("Some paints, glues and inks burn and others do not: the label says it."), _LABEL),
    "matches": (_("Safety matches may be posted by road, never by air."), _GROUND),
    "matches-abroad": (_ABROAD, _HOME_ONLY),
    "matches-other": (_("Only safety matches may be posted."), _NOT_BY_POST),
    "flammable-solid": (_TRAINED, _STAFF),
    "flammable-solid-abroad": (_ABROAD, _HOME_ONLY),
    "fire-steel": (_("A fire steel may be posted where its metal does not burn by itself: a person looks."), _ASK),
    "oxidizer": (
        _("It makes fires fiercer. It moves only when a trained person has decided, and never by air."),
        _STAFF,
    ),
    "oxidizer-abroad": (_ABROAD, _HOME_ONLY),
    "organic-peroxide": (_TRAINED, _STAFF),
    "poison": (_POISON, _NOT_BY_POST),
    "toxic": (_STRENGTH_ASK, _LABEL),
    "toxic-abroad": (_ABROAD, _HOME_ONLY),
    "medical-waste": (_("Used needles and medical waste go only by a service that is made for them."), _NOT_BY_POST),
    "infectious": (_TRAINED, _STAFF),
    "infectious-a": (_("Infectious substances of category A may not be posted."), _NOT_BY_POST),
    "infectious-b": (_("A sample of category B needs three layers of packing and its mark: a person looks."), _STAFF),
    "sample-exempt": (_("An exempt sample may be posted when nothing can leak."), _NOTHING),
    "sample-not-said": (_SAMPLE_ASK, _ASK),
    "radioactive": (_("What radiates moves only when a trained person has decided, and never by air."), _STAFF),
    "radioactive-abroad": (_ABROAD, _HOME_ONLY),
    "corrosive": (_("A weak acid or lye may be posted by road, never by air."), _GROUND),
    "corrosive-abroad": (_ABROAD, _HOME_ONLY),
    "corrosive-strong": (_("Acids and lyes of this strength or amount may not be posted."), _NOT_BY_POST),
    "corrosive-strength-not-said": (_STRENGTH_ASK, _LABEL),
    "corrosive-size-not-said": (_SIZE_ASK, _ASK),
    "mercury": (_("Mercury, and instruments that hold it, may not be posted."), _NOT_BY_POST),
    "mercury-not-said": (_("Some barometers hold mercury, which may not be posted: a look settles it."), _ASK),
    "dry-ice": (_("A little dry ice may be posted, in a box that lets its gas out."), _NOTHING),
    "dry-ice-much": (_("So much dry ice may be posted by road, never by air."), _GROUND),
    "dry-ice-not-said": (_SIZE_ASK, _ASK),
    "dry-ice-contradiction": (_DISAGREE, _PUT_RIGHT),
    "dry-ice-abroad": (_ABROAD, _HOME_ONLY),
    "magnet": (_("A magnet of this strength may fly with its mark."), _NOTHING),
    "magnet-strong": (
        _("A magnet of this strength disturbs an aircraft's compass. It may be posted by road."),
        _GROUND,
    ),
    "magnet-not-measured": (_("How strong the magnet is decides whether it may fly."), _ASK),
    "magnet-abroad": (_ABROAD, _HOME_ONLY),
    "asbestos": (_("Asbestos may not be posted."), _NOT_BY_POST),
    "class-9": (_TRAINED, _STAFF),
    "fuel-in-it": (_("There is fuel in it."), _CLEAN),
    "fuel-not-said": (_("Whether there was ever fuel in it decides whether it may be posted."), _ASK),
    "residue": (_("A container that is not cleaned counts as full."), _CLEAN),
    "cleaned": (_("A person looks whether it is clean and dry."), _ASK),
    "empty-not-asked": (_("A person looks whether it is empty and clean."), _ASK),
    "chemical": (_NAME, _LABEL),
    "substance": (_NAME, _LABEL),
    "cosmetics": (_("In such a set there may be perfume, nail polish or a spray can."), _TAKE_OUT),
    "lamp": (_("Some lamps hold a trace of mercury: a person looks."), _ASK),
}
"""Rule -> (what it means, what to change)."""

QUESTIONS: Final[Mapping[str, Any]] = {
    "battery": _("Is there a battery in it? Of which kind?"),
    "battery_place": _("Where is the battery: in the device, beside it, or alone?"),
    "battery_is": _("Is it a single cell, or a battery of several?"),
    "battery_number": _("How many cells or batteries are in the parcel?"),
    "battery_damaged": _("Is the battery damaged, swollen or recalled?"),
    "battery_sealed": _("Is the battery in the sealed packing of the shop?"),
    "watt_hours": _("How many watt-hours (Wh) has it? It stands on the battery."),
    "lithium_g": _("How many grams of lithium are in one? The maker says it."),
    "condition": _("Is it new in its unopened packing, or used?"),
    "liquid": _("Is it liquid?"),
    "flammable": _("Does it burn? Is there a flame on the label?"),
    "flash_point_c": _("What is its flash point, in degrees Celsius? It stands in the safety data sheet."),
    "alcohol_percent": _("How much alcohol is in it, in percent?"),
    "active_percent": _("How strong is it, in percent? It stands on the label."),
    "aerosol": _("Is it a spray can?"),
    "magnet": _("Is there a magnet in it? A small one, as on a fridge, or a strong one?"),
    "magnet_field_ut_at_2_1_m": _("How strong is its field 2.1 metres away, in microtesla?"),
    "magnet_field_ut_at_4_6_m": _("How strong is its field 4.6 metres away, in microtesla?"),
    "dry_ice_kg": _("How many kilograms of dry ice are in it?"),
    "fuel": _("Was there ever fuel in it?"),
    "emptied": _("Is it empty: never filled, cleaned, or not cleaned?"),
    "mercury": _("Is there mercury in it?"),
    "sample": _("Is it a sample of a person or an animal? Of which category?"),
}
"""Field of `Answers` -> the question."""
