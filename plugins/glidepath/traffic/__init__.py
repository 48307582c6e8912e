"""The traffic port: how a service's requests are split between two versions."""

from glidepath.traffic.istio import IstioTraffic, Split, TrafficState

__all__ = ["IstioTraffic", "Split", "TrafficState"]
