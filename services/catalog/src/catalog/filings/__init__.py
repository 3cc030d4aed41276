"""Filings F1 of entries that are not shared (Article 14 ¶2), as their filer sees them."""
