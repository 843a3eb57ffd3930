"""An append-only log that anyone can verify and no one can quietly change."""
