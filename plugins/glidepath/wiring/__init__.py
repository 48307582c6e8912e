"""What the ports of a service are made of: the one place that knows which mesh, and which way to deploy."""
