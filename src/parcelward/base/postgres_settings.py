"""What the embedded servers are told: durable, private, and sized for a machine of two cores."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType

PORT = 5432
"""Only a part of the socket's file name: nothing listens on TCP."""


def _memory_mb() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // (1024 * 1024)


_COMMON = {
    "listen_addresses": "",
    "unix_socket_directories": ".",  # the data folder itself: the server's working directory
    "unix_socket_permissions": "0700",
    "port": str(PORT),
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "wal_level": "replica",
    "max_slot_wal_keep_size": "4GB",  # a backup that follows the WAL and died must not fill the disk
    "wal_compression": "off",  # the wheel has pglz alone, which costs more CPU than the bytes are worth
    "max_connections": "150",
    "autovacuum": "on",
    "jit": "off",  # compiling costs more than it saves on short statements
    "random_page_cost": "1.1",  # solid-state disks
    # Prepared statements are the scan path's: each knows its index, and planning it anew cost as much as running it.
    "plan_cache_mode": "force_generic_plan",
    "checkpoint_timeout": "15min",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "on",
    "log_directory": "server_log",
    "log_filename": "postgresql-%a.log",  # seven files, each begun anew after a week
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_file_mode": "0600",
    "log_checkpoints": "off",
    # Statements and their values carry personal data, so no log line may quote them.
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",  # no DETAIL: "Key (email)=(...) already exists"
}
MAIN: Mapping[str, str] = MappingProxyType(
    {
        **_COMMON,
        "shared_buffers": f"{max(32, min(512, _memory_mb() // 8))}MB",
        "max_wal_size": "2GB",
        "maintenance_work_mem": "128MB",
    }
)
"""Settings for the cluster that holds everything, fit for a machine of 2 cores."""
KEYS: Mapping[str, str] = MappingProxyType(
    {
        **_COMMON,
        "shared_buffers": "32MB",
        "max_wal_size": "256MB",
        "wal_recycle": "off",  # a segment that is kept to be written over keeps keys that were deleted (traces.py)
    }
)
"""Settings for the small cluster that holds item secrets and wrapped keys."""

MUST_BE = {"fsync": {"on"}, "full_page_writes": {"on"}, "data_checksums": {"on"}}
MUST_NOT_BE = {"synchronous_commit": {"off"}}  # every other value flushes before the answer
