"""Searchable replica of every published entry of the federation."""
