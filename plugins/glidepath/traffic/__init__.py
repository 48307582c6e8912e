"""The traffic port: how a service's requests are split between two versions."""

from glidepath.traffic.entries import EVERY_VERSION
from glidepath.traffic.istio import IstioTraffic
from glidepath.traffic.reading import DELETED
from glidepath.traffic.routing import EVERYWHERE, Routing
from glidepath.traffic.rules import Subset
from glidepath.traffic.split import Split, TrafficState
from glidepath.traffic.way_back import WayBack

__all__ = [
    "DELETED",
    "EVERYWHERE",
    "EVERY_VERSION",
    "IstioTraffic",
    "Routing",
    "Split",
    "Subset",
    "TrafficState",
    "WayBack",
]
