"""The traffic port: how a service's requests are split between two versions."""

from glidepath.traffic.istio import DELETED, IstioTraffic
from glidepath.traffic.split import Split, TrafficState

__all__ = ["DELETED", "IstioTraffic", "Split", "TrafficState"]
