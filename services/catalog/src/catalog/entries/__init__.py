"""Catalog entries of this node's agencies: SM-1 from draft to takedown (Articles 11 to 15)."""
