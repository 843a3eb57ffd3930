"""What the HTTP server calls."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "parcelward.doors.settings")
application = get_wsgi_application()
# What was loaded lives as long as the process, and a batch of scans makes ten thousand objects that no cycle holds:
# looking through all of them every 700 cost an eighth of the CPU.
gc.freeze()
gc.set_threshold(100_000, 20, 50)
