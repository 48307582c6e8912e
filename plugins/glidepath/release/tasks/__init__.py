"""What a release does: one module a task of its DAG. Each may end anywhere, and may be run again."""
