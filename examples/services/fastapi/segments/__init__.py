"""How many segments a text message takes: an ordinary FastAPI service, which knows nothing of Glidepath."""
