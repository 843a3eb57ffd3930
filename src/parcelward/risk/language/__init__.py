"""The language that rules are written in: a small part of Python's expressions, and nothing else.

    rule        any ::= all ("or" all)*          all ::= not ("and" not)*         not ::= "not" not | test
    test        a flag | known(field) | startswith(text, "...") | "(" rule ")"
                number (("<" | "<=" | ">" | ">=" | "==" | "!=") number)+
                text ("==" | "!=") text          text or whole number ["not"] "in" [literal, ...]
                "literal" ["not"] "in" set
    number      field | 3 | 0.25 | 12_50 | 90s | 10m | 1h | 7d | -number | number (+ - * / %) number
                min(number, ...) | max(number, ...) | abs(number)

The words `startswith`, `known`, `min`, `max` and `abs` are all the calls there are. Money is in minor units, a time is
written with its unit. `==` is for whole numbers and texts; `%` divides a whole number by a fixed one; a divisor that
is closer to nothing than a millionth makes what is divided missing.

**What is missing.** A test of a missing value is false, behind `not` too: `not cards_1h > 3` is read as
`cards_1h <= 3`, which says nothing of an order whose cards nobody counted. What is reckoned from something missing is
missing. Only `known(field)` asks whether it is there.

A rule is checked when it is written (`reading`), against the fields that there are (`schema`): what is unknown, of the
wrong type, too long, or always true or false is refused with its place and what was probably meant. It is then a tree
(`tree`) that three forms agree on: `interpreting` walks it and says why, `compiling` makes one Python function of a
whole set, `columns` judges many orders at once.
"""
