"""What can go wrong with personal data."""
