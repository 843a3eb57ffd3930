"""Addresses of all countries: read, checked, put on labels, shown. Pure: no database and no network."""
