"""Lists of orders in files: reading, what their columns mean, and what is wrong with each row. All of it is pure."""
