"""A postal network that plays the public API as a client would: for demonstrations, load and rehearsed crimes."""
