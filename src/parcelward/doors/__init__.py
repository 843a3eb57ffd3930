"""HTTP, screens, commands, and the simulated world."""
