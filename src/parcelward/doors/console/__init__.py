"""The `parcelward` command: start, import, verify, enrol."""
