"""Photos of parcels at acceptance: the marks of dangerous goods on them are read, and nothing of the photo is kept."""
