"""Who acts, how they prove it, and what they may do."""
