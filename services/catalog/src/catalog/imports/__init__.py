"""Import of an existing catalogue file into drafts, and profiles that complete them."""
