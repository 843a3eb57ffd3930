"""Pure decisions about personal data: no framework, no clock."""
