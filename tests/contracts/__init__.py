"""What every implementation of a port keeps to, the in-memory ones too.

A module a port: `keeps` runs the whole contract against a place where the service is installed with v1 as the stable
version, and leaves it so that another may begin. Whoever adds an implementation calls it.
"""
