"""Parcelward: the carrier's own side of e-commerce delivery. Imports go downstairs only.

doors      the world comes in: api, portals, console, simulator
---------
shipping   selling a delivery in one step
---------
risk       what looks wrong, how sure we are, and why
---------
parcels    what moves
payments   money, always balanced
---------
privacy    whom: the one home of personal data
network    where
---------
people     who may
---------
custody    what can be believed
---------
base       words, errors, configuration, database habits
"""

__version__ = "0.1.0"  # the same as in pyproject.toml: a test compares them
