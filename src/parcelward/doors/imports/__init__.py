"""Other people's files as scan events: `parcelward import`."""
