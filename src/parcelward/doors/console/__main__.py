"""`python -m parcelward.doors.console` is `parcelward`."""

from parcelward.doors.console.main import main

main()
