"""The traffic port: how a service's requests are split between two versions."""

from glidepath.traffic.entries import EVERY_VERSION
from glidepath.traffic.port import Surroundings, Traffic, Way
from glidepath.traffic.routing import Routing
from glidepath.traffic.split import Match, Mirror, Routes, Split, TrafficState
from glidepath.traffic.way_back import WayBack

__all__ = [
    "EVERY_VERSION",
    "Match",
    "Mirror",
    "Routes",
    "Routing",
    "Split",
    "Surroundings",
    "Traffic",
    "TrafficState",
    "Way",
    "WayBack",
]
