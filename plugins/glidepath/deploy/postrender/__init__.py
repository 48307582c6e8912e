"""Helm plugins: what stands between a chart and the cluster."""
