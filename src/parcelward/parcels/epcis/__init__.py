"""EPCIS events of others as our scans, and our scans as EPCIS events. Private to the room."""
