"""Telling senders' systems how their items stand: signed, in order of the item, again and again until it arrives."""
