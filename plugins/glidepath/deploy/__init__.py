"""The deploy port: versions of a service in the cluster, through Helm and their Deployments."""

from glidepath.deploy.helm import Helm, HelmRelease
from glidepath.deploy.workloads import Readiness, Workloads

__all__ = ["Helm", "HelmRelease", "Readiness", "Workloads"]
