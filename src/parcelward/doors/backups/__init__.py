"""Backups of the whole installation, and bringing it back from them; the console's commands are in front of it."""
