"""Selling a delivery in one step."""
