"""The one home of personal data: vault, one key per person, disclosure trail, retention, shredding."""
