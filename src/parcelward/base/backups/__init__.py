"""What a backup is made of: keys to encrypt it for, files that cannot be changed unnoticed, sets with a manifest."""
