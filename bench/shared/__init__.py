"""What many guards ask of one Prometheus, together and each for itself, on a real one."""
