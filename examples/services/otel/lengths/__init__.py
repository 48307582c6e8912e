"""How long a text message is: an ordinary service that OpenTelemetry watches, which knows nothing of Glidepath."""
