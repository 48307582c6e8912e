"""What a person runs by hand in the middle of a release."""

from __future__ import annotations

from rig import stage
from rig.environment import NAMESPACE, RigError, helm
from tests.faults.scene import Scene


def persons_helm(scene: Scene, *more: str) -> str:
    """A person's helm upgrade, as soon as the release's own helm has ended: Helm itself refuses it until then.

    Returns:
        What Helm said when it was refused; "" when it went through.
    """
    told = ""

    def done() -> bool:
        nonlocal told
        try:
            helm("upgrade", stage.RELEASE, str(stage.CHART), "-n", NAMESPACE, *more)
        except RigError as error:
            told = str(error)
        return "already exists" not in told and "in progress" not in told

    scene.arena.wait("the end of the release's own helm", done, 60)
    return told
