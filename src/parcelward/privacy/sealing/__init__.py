"""Sealed labels: each hop of an item opens its own part of the address and no other (docs/sealed-labels.md)."""
