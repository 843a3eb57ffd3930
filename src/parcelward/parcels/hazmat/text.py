"""What a description says, by words alone: kinds of goods, what is denied, and what is only a title, a motif, a cover.

Every word that counts is named, so that a person can see why. A sentence is read in stretches: from one comma, bracket
or joining word ("and", "with") to the next. In a stretch the goods are named by its last noun in English and German
("fireworks pattern paper"), by its first in Spanish and French ("papier motif feu d'artifice").
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from parcelward.parcels.hazmat import spelling
from parcelward.parcels.hazmat.guesses import guess
from parcelward.parcels.hazmat.lexicon import LANGUAGES, STATES, Entry, fits, lexicon
from parcelward.parcels.hazmat.wire import DESCRIPTION_CHARS_MAX

_TOKEN: Final = re.compile(r"\d+(?:[.,]\d+)*(?![a-z\d@$])|[a-z\d@$|!]*[a-z\d@$][a-z\d@$|!]*|[^\w\s]|\n")
_STRETCH_ENDS: Final = frozenset(",;.()[]{}/|+&\n\u2013\u2014·•?")
_HEADS: Final = frozenset({"motif", "cover", "phrase"})
_NOUNS: Final = frozenset({"motif", "cover", "phrase", "plain"})
_JOINING: Final = frozenset("+&/")
_SILENT: Final = frozenset("'\u2019`\u00b4-_")
_QUOTED: Final = re.compile(r'"([^"]*)"')
_UN: Final = re.compile(r"\b(un|na|id)[\s.:#-]*(\d{4})\b")
_CAS: Final = re.compile(r"\b(\d{2,7})-(\d{2})-(\d)\b")
_AMOUNT: Final = re.compile(
    r"(?<!\d)(\d{1,9}(?:[.,]\d{1,9})?)\s*(k?wh|mah|ah|v|volt|ml|cl|l|liter|litre|litro|litros|litres|oz|g|kg)\b"
)
_WITHOUT_MASK: Final = frozenset({"kind:powered", "kind:inflating", "kind:life_vest", "kind:automatic"})
_NAMES_NOTHING: Final = frozenset({*STATES, "kind:automatic"})
_IN_A_COVER: Final = frozenset({"kind:explosive", "kind:doubtful"})
_SHAPES: Final = frozenset(f"kind:{one}" for one in ("explosive", "matches", "strike_anywhere", "lighter", "doubtful"))
_BATTERY_LABELS: Final = frozenset(
    f"kind:{one}" for one in ("battery", "lithium", "lithium_ion", "lithium_metal", "power_bank", "powered")
)
_NEGATION_WORDS_MAX: Final = 5
_HEAD_FIRST: Final = frozenset({"es", "fr"})


@dataclass(frozen=True, slots=True)
class Item:
    """One entry found in a stretch: which words of it, from where to where."""

    label: str
    said: str
    start: int
    end: int
    guessed: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """All that was read out of a description."""

    kinds: dict[str, tuple[str, ...]]  # kind -> the words it was read from
    denied: frozenset[str]  # kinds that the text says are not there
    doubtful: frozenset[str]  # kinds read before something harmless (gunpowder tea), or from words with two meanings
    states: frozenset[str]  # empty, damaged, used, vague
    uns: tuple[str, ...]  # ids written in the text
    naming: int  # in how many stretches a kind is named
    container: bool  # a bottle, a can or the like is named, and nothing says that it is full
    understood: bool  # some goods of ours or harmless ones are named in every stretch that names anything
    readable: bool  # Latin letters, not too long
    watt_hours: float | None
    volume_ml: float | None


def read(description: str, language: str = "") -> Reading:
    """Read a description; any text gives a reading."""
    cut = description[:DESCRIPTION_CHARS_MAX]
    text = spelling.plain(cut)
    spoken = _spoken(text, language)
    uns = tuple(dict.fromkeys(f"{kind.upper()}{number}" for kind, number in _UN.findall(text)))
    outside = _QUOTED.sub(" ", text)
    whole = _Pass(spoken)
    whole.take(outside)
    if '"' in text and not whole.motif:
        whole = _Pass(spoken)
        whole.take(text.replace('"', " "))
    wh, ml = _amounts(text)
    for number in _substance_numbers(text):
        whole.kinds.setdefault("chemical", []).append(number)
        whole.plainly.add("chemical")
    kinds = {kind: tuple(dict.fromkeys(said)) for kind, said in whole.kinds.items()}
    return Reading(
        kinds,
        frozenset(whole.denied - kinds.keys()),
        frozenset(kinds.keys() - whole.plainly) | _ambiguous(whole) | (whole.denied & kinds.keys()),
        frozenset(whole.states),
        uns,
        naming=whole.naming,
        container=_container(text, spoken),
        understood=whole.named > 0 and not whole.unnamed,
        readable=spelling.latin(text) and len(description) <= DESCRIPTION_CHARS_MAX,
        watt_hours=wh,
        volume_ml=ml,
    )


def _substance_numbers(text: str) -> list[str]:
    """Return the CAS numbers of substances in a text: those whose last digit is right."""
    found = []
    for head, middle, check in _CAS.findall(text):
        weighted = sum(n * int(digit) for n, digit in enumerate(reversed(head + middle), 1))
        found += [f"{head}-{middle}-{check}"] if weighted % 10 == int(check) else []
    return found


def _container(text: str, spoken: frozenset[str]) -> bool:
    words = [spelling.folded(word) for word in re.findall(r"[a-z]+", text)]
    full = lexicon().set_of("full", spoken)
    vessels = {pattern for (pattern,) in lexicon().set_of("container", spoken)}
    return any(fits(one, word) for one in vessels for word in words) and not any((word,) in full for word in words)


@functools.lru_cache(maxsize=20_000)
def _has_two_meanings(word: str, spoken: frozenset[str]) -> bool:
    return any(len(words) == 1 and fits(words[0], word) for words in lexicon().set_of("ambiguous", spoken))


def _ambiguous(whole: _Pass) -> frozenset[str]:
    """Return the kinds read from words with two meanings alone, where something harmless is named beside them."""
    return frozenset(
        kind
        for kind, said in whole.kinds.items()
        if (whole.harmless_last or kind not in whole.by_itself)
        and all(_has_two_meanings(word, whole.spoken) for word in said)
    )


def _spoken(text: str, language: str) -> frozenset[str]:
    """Return the language that is declared, or those with the most words that only they have."""
    if language in LANGUAGES:
        return frozenset({language})
    words = [spelling.folded(w) for w in re.findall(r"[a-z]+", text)]
    counted = {one: sum(w in lexicon().words_of[one] for w in words) for one in LANGUAGES}
    best = max(counted.values())
    return frozenset(one for one, n in counted.items() if n == best)


class _Pass:
    """One walk through a text."""

    def __init__(self, spoken: frozenset[str]) -> None:
        self.spoken = spoken
        self.kinds: dict[str, list[str]] = {}
        self.denied: set[str] = set()
        self.plainly: set[str] = set()
        self.states: set[str] = set()
        self.motif = False
        self.named = 0
        self.by_itself: set[str] = set()  # kinds with nothing harmless in their stretch
        self.harmless_last = False  # the last stretch names something harmless alone: "Powder and blood, novel"
        self.naming = 0
        self.unnamed = 0

    def take(self, text: str) -> None:
        """Read a text, stretch by stretch."""
        for words, joined in self._stretches(text):
            self._stretch(words, joined=joined)

    def _stretches(self, text: str) -> Iterator[tuple[list[str], bool]]:
        """Yield the words of each stretch, and whether a joining word (and, with, plus) begins it."""
        breaks = lexicon().set_of("breaks", self.spoken)
        words: list[str] = []
        joined = False
        for token in _TOKEN.findall(text):
            word = spelling.folded(token)
            if token in _STRETCH_ENDS or (word,) in breaks:
                if words:
                    yield words, joined
                words, joined = [], (word,) in breaks or token in _JOINING
            elif token not in _SILENT and (token[0].isalnum() or token[0] in "@$|!"):
                words.append(word)
        if words:
            yield words, joined

    def _stretch(self, words: list[str], *, joined: bool) -> None:
        items = self._items(words)
        if all(item.label in _NAMES_NOTHING for item in items):
            covered = {n for item in items for n in range(item.start, item.end)}
            rest = [w for n, w in enumerate(words) if n not in covered]
            wordy = [w for w in rest if len(w) >= spelling.PLURAL_CHARS_MIN and w.isalpha()]
            self.unnamed += bool(wordy) and (joined or not self._adjuncts(wordy))
        if not items:
            return
        kept, masked = self._masked(items, words)
        doubtful = self._doubtful(items, words) | {item for item in items if item.guessed}
        doubtful |= self._shaped(items, words)
        if not any(item.label == "motif" for item in items):  # a cover for explosives may hold them
            held = {item for item in masked if item.label in _IN_A_COVER}
            masked, doubtful = masked - held, doubtful | held
        harmless = any(item.label in _NOUNS for item in items)
        self.harmless_last = harmless and not joined and not any(item.label.startswith("kind:") for item in items)
        kinds_before = sum(map(len, self.kinds.values()))
        for item in items:
            if item.label in STATES:
                if item.label != "vague" and self._negated(item, words, items):
                    continue
                self.states.add(item.label)
            elif item.label.startswith("kind:"):
                kind = item.label.removeprefix("kind:")
                if self._negated(item, words, items):
                    self.denied.add(kind)
                elif item not in masked:
                    self.kinds.setdefault(kind, []).append(item.said)
                    self.by_itself |= set() if harmless else {kind}
                    if item not in doubtful:
                        self.plainly.add(kind)
        naming = sum(map(len, self.kinds.values())) > kinds_before
        self.naming += naming + (naming and joined)  # what "and" joins is never the only thing
        self.named += any(item.label not in _NAMES_NOTHING for item in items)
        self.motif = self.motif or any(item.label == "motif" for item in kept)

    def _adjuncts(self, words: Sequence[str]) -> bool:
        """Return whether they name no goods: at least half are colours, sizes, materials and the like."""
        adjuncts = {pattern for (pattern,) in lexicon().set_of("adjunct", self.spoken)}
        return sum(any(fits(one, w) for one in adjuncts) for w in words) * 2 >= len(words)

    def _shaped(self, items: list[Item], words: Sequence[str]) -> set[Item]:
        """Return the kinds that say only a shape, or of which it says that they are food or cloth."""
        shape, made = (lexicon().set_of(name, self.spoken) for name in ("shape", "made_of"))
        said = {n for n, w in enumerate(words) if (w,) in shape}
        harmless = any((w,) in made for w in words) and not self._unmasked(words)
        near = range(-3, 3)
        return {
            item for item in items if item.label in _SHAPES and (harmless or any(item.start + n in said for n in near))
        }

    def _items(self, words: Sequence[str]) -> list[Item]:
        items: list[Item] = []
        at = 0
        while at < len(words):
            found, length = self._longest(words, at)
            said = " ".join(words[at : at + length])
            items += [Item(label, said, at, at + length) for label in _wins(found)]
            guessed = "" if found else guess(words[at])
            items += [Item(guessed, words[at], at, at + 1, guessed=True)] if guessed else []
            at += max(1, length)
        return items

    def _longest(self, words: Sequence[str], at: int) -> tuple[list[Entry], int]:
        best: list[Entry] = []
        longest = 0
        for spelt in (words[at], *map(spelling.folded, spelling.without_disguise(words[at]))):
            for entry in lexicon().beginning_with(spelt):
                n = len(entry.words)
                if n < longest or not entry.reads(self.spoken) or at + n > len(words):
                    continue
                if n > 1 and not all(
                    _meets(p, w) for p, w in zip(entry.words[1:], words[at + 1 : at + n], strict=True)
                ):
                    continue
                best = [entry] if n > longest else [*best, entry]
                longest = n
        return best, longest

    def _masked(self, items: list[Item], words: Sequence[str]) -> tuple[list[Item], set[Item]]:
        """Return what the stretch names, and the kinds in it that are only its motif or its purpose."""
        if self._unmasked(words):
            return items, set()
        nouns = [i for i in items if i.label in _HEADS or i.label.startswith("kind:")]
        if not nouns or self._measures(nouns[0], words):
            return items, set()
        after = {i for i in nouns if nouns[0].label in {"motif", "cover"} and i.label not in _WITHOUT_MASK}
        if not self.spoken - _HEAD_FIRST:
            return items, after
        before = self._masked_before(nouns, words)
        return items, before & after if self.spoken & _HEAD_FIRST else before  # in doubt, what both orders say

    def _measures(self, head: Item, words: Sequence[str]) -> bool:
        """Return whether it only says how much: a card of button cells, a cup of petrol."""
        measure, of = (lexicon().set_of(name, self.spoken) for name in ("measure", "holds"))
        return head.end < len(words) and (head.said,) in measure and (words[head.end],) in of

    def _unmasked(self, words: Sequence[str]) -> bool:
        """Return whether a word says that more is in it, or that it is the thing itself; real leather is neither."""
        if any((w,) in lexicon().set_of("unmask", self.spoken) for w in words):
            return True
        real, stuff = (lexicon().set_of(name, self.spoken) for name in ("real", "stuff"))
        return any(
            (w,) in real and not any((beside,) in stuff for beside in words[max(0, n - 1) : n + 2])
            for n, w in enumerate(words)
        )

    def _doubtful(self, items: list[Item], words: Sequence[str]) -> set[Item]:
        """Return the kinds before a plain harmless head, in English and German: what it is must be looked at."""
        if self.spoken & _HEAD_FIRST or self._unmasked(words):
            return set()
        of = lexicon().set_of("of", self.spoken) | lexicon().set_of("not_before", self.spoken)
        cut = next((n for n, w in enumerate(words) if (w,) in of), len(words))
        first = [i for i in items if i.start < cut and (i.label in _NOUNS or i.label.startswith("kind:"))]
        return set(first) if first and first[-1].label in {"plain", "phrase"} else set()

    def _masked_before(self, nouns: list[Item], words: Sequence[str]) -> set[Item]:
        """Return what stands before the head of the stretch, or after it as what the head is of or for."""
        of, purpose = (lexicon().set_of(name, self.spoken) for name in ("of", "for"))
        of = of | lexicon().set_of("not_before", self.spoken)  # a phone without a card is no card
        cuts = [n for n, w in enumerate(words) if (w,) in of]
        first = [i for i in nouns if not cuts or i.start < cuts[0]]
        if not first or first[-1].label not in _HEADS:
            return set()
        masked = set() if first[-1].label == "phrase" else set(first)
        for n, cut in enumerate(cuts):
            end = cuts[n + 1] if n + 1 < len(cuts) else len(words)
            if first[-1].label == "motif" or (words[cut],) in purpose:
                masked |= {i for i in nouns if cut < i.start < end}
        return {i for i in masked if i.label not in _WITHOUT_MASK}

    def _negated(self, item: Item, words: Sequence[str], items: list[Item]) -> bool:
        before, after, between = (
            lexicon().set_of(name, self.spoken) for name in ("not_before", "not_after", "not_between")
        )
        covered = {n for one in items if one.label.startswith("kind:") for n in range(one.start, one.end)}
        at = item.start - 1
        while at >= max(0, item.start - _NEGATION_WORDS_MAX) and (at in covered or (words[at],) in between):
            if (words[at],) in before:
                break
            at -= 1
        if at >= 0 and (words[at],) in before:
            return at == 0 or (words[at - 1],) not in before  # not without: with
        rest = words[item.end : item.end + _NEGATION_WORDS_MAX]
        for skip in range(min(3, len(rest))):
            if any(tuple(rest[skip : skip + len(phrase)]) == phrase for phrase in after):
                return True
            if skip + item.end not in covered and (rest[skip],) not in between and rest[skip] not in {"are", "is"}:
                return False
        return False


def _wins(found: list[Entry]) -> list[str]:
    """Return the labels that count where several entries are as long: what is dangerous, before what is not.

    But a German compound is what its last part says: Feuerzeughülle is a cover. A word that is written out as harmless
    is not what only ends like it: Aufkleber is no Kleber.
    """
    labels = {entry.label for entry in found}
    written_out = {entry.label for entry in found if "*" not in entry.words[0]}
    if written_out and all(label in _NOUNS for label in written_out) and len(found[0].words) == 1:
        return sorted(written_out)
    kinds = {one for one in labels if one.startswith("kind:")}
    last = {entry.label for entry in found if entry.words[0].startswith("*") and len(entry.words) == 1}
    if kinds and not kinds & last and ("cover" in last or ("motif" in last and not kinds & _BATTERY_LABELS)):
        return sorted(last - kinds)
    return sorted(kinds or labels)


def _meets(pattern: str, word: str) -> bool:
    return fits(pattern, word) or any(fits(pattern, spelling.folded(w)) for w in spelling.without_disguise(word))


def _amounts(text: str) -> tuple[float | None, float | None]:
    """Return the largest watt-hours and millilitres that a text names; milliampere-hours count with their volts."""
    found: dict[str, float] = {}
    for number, unit in _AMOUNT.findall(text):
        value = float(number.replace(",", "."))
        found[unit] = max(found.get(unit, 0.0), value)
    wh = max(found.get("wh", 0.0), found.get("kwh", 0.0) * 1000)
    if not wh and ("mah" in found or "ah" in found):
        amperes = max(found.get("mah", 0.0) / 1000, found.get("ah", 0.0))
        wh = amperes * max(found.get("v", 0.0), found.get("volt", 0.0), 3.7)
    litres = max(found.get(u, 0.0) for u in ("l", "liter", "litre", "litro", "litros", "litres"))
    ml = max(found.get("ml", 0.0), found.get("cl", 0.0) * 10, litres * 1000)
    return wh or None, ml or None
