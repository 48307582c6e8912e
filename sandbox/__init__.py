"""The embedded cluster: a real Kubernetes with Istio and Prometheus on one Linux machine. Standard library only."""
