"""What an installation has to be before real parcels travel through it: one table of checks, and what they look at."""
