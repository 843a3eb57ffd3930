"""What others may read of money, as frozen values."""

from __future__ import annotations

from parcelward.payments import ledger_check

check_ledger = ledger_check.check_ledger
