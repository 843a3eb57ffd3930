"""What looks wrong, how sure we are, and why."""
