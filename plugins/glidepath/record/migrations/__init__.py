"""How the record's tables came to be, one step after the other; see `record.schema`."""
