"""Measurements: what the judge reaches, and what it costs."""
