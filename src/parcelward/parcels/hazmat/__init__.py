"""Dangerous goods: what may travel as a parcel, by which mode, and what to ask before. A room within the room."""
