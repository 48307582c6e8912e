"""The demonstration: Airflow standalone on the embedded cluster, and releases through its DAG."""
