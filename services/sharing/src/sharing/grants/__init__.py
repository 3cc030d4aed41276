"""Grants: what a using system may fetch, until when, and how that ends."""
