"""The delivery API: rows and files of a grant, to the using system that holds its key."""
