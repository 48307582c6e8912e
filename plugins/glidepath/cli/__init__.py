"""The command line: `glidepath COMMAND`. Knows no Airflow; what it reads and judges, it has from the layers below."""
