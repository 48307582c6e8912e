"""The fence port: what keeps everybody but a release from changing its service's objects."""

from glidepath.fence.kubernetes import KubernetesFence
from glidepath.fence.objects import FencedObjects
from glidepath.fence.port import Fence, Fenced

__all__ = ["Fence", "Fenced", "FencedObjects", "KubernetesFence"]
