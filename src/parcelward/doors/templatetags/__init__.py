"""Filters that every template has, without loading them."""
