"""What guards cost: many releases on one triggerer, before a real API server and a real Prometheus."""
