"""Who may see and do what: Airflow's own permissions on a DAG's runs, asked of Airflow's own auth manager."""

from __future__ import annotations

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
from fastapi import Depends

# Who can't read the DAG's runs gets 403, who is nobody 401.
MAY_READ = Depends(requires_access_dag(method="GET", access_entity=DagAccessEntity.RUN))


def readable(user: GetUserDep) -> set[str]:
    """The DAGs that a user may read."""
    return get_auth_manager().get_authorized_dag_ids(user=user, method="GET")
