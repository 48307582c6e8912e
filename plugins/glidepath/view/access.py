"""Who may see and do what: Airflow's own permissions on a DAG's runs, asked of Airflow's own auth manager."""

from __future__ import annotations

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
from airflow.models.dag import DagModel
from fastapi import Depends

# Who can't read the DAG's runs gets 403, who is nobody 401.
MAY_READ = Depends(requires_access_dag(method="GET", access_entity=DagAccessEntity.RUN))
# As for marking a run in Airflow's own pages.
MAY_ASK = Depends(requires_access_dag(method="PUT", access_entity=DagAccessEntity.RUN))


def may_ask(user: GetUserDep, dag_id: str) -> bool:
    """Whether a user may ask something of a DAG's releases: what `MAY_ASK` refuses otherwise."""
    details = DagDetails(id=dag_id, team_name=DagModel.get_team_name(dag_id))
    return get_auth_manager().is_authorized_dag(
        method="PUT", access_entity=DagAccessEntity.RUN, details=details, user=user
    )


def readable(user: GetUserDep) -> set[str]:
    """The DAGs that a user may read."""
    return get_auth_manager().get_authorized_dag_ids(user=user, method="GET")
