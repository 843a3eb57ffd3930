"""Money, always balanced."""
