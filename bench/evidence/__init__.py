"""What evidence costs: the stable's past and a look, on a real Prometheus, beside an earlier build."""
