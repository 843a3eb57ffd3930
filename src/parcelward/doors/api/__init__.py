"""HTTP for programs: scans, items, network, devices, the log's tiles."""
