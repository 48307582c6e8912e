"""The deploy port: versions of a service in the cluster, through Helm and what runs their pods."""

from glidepath.deploy.helm import Helm
from glidepath.deploy.per_version import HelmPerVersion
from glidepath.deploy.port import Deploy, Workloads
from glidepath.deploy.release import HelmRelease, Preview
from glidepath.deploy.shapes import Readiness
from glidepath.deploy.workloads import KubernetesWorkloads

__all__ = [
    "Deploy",
    "Helm",
    "HelmPerVersion",
    "HelmRelease",
    "KubernetesWorkloads",
    "Preview",
    "Readiness",
    "Workloads",
]
