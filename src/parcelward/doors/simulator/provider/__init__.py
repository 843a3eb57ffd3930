"""A payment provider that is simulated: strict where loose fakes are not, and reachable over HTTP only."""
