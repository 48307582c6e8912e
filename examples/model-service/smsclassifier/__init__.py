"""The SMS spam classifier that Glidepath's example releases."""
