"""Learnt from the past: a model's score of an order and why, and what is unusual without anybody's label."""
