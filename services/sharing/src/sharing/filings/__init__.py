"""The filer side of the filings F2a and F2b (Article 20 ¶2)."""
