"""Signing in, joining by invitation, and everybody's own account page."""
