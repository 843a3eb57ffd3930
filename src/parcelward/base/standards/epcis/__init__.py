"""GS1 EPCIS 2.0 events: read, checked, written, compared, hashed and asked for. Pure: no database and no network."""
