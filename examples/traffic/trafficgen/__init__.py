"""Open-loop traffic for the example service, and an outside witness of what a release did to its callers."""
