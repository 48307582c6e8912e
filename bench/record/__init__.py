"""What a release's looks take in the record, as rows and packed."""
