"""The watchdog: runs inside the cluster and puts a service back on stable when nobody renews its claim.

It imports `kubernetes`, the standard library and Glidepath's claim and traffic ports only, so that its image is small
and works while Airflow, its database and Prometheus don't.
"""
