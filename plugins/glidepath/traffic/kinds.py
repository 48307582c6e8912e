"""Istio's kinds that lead callers to a service's versions, and what Glidepath keeps of them."""

from glidepath.traffic.routing import BELOW

VIRTUAL_SERVICES = "networking.istio.io/v1/virtualservices"
DESTINATION_RULES = "networking.istio.io/v1/destinationrules"
KINDS = {
    VIRTUAL_SERVICES: ("networking.istio.io/v1", "VirtualService"),
    DESTINATION_RULES: ("networking.istio.io/v1", "DestinationRule"),
}
# What only a way back writes of a VirtualService; `http` each write says anew.
KEPT = ("hosts", "gateways", "exportTo", *BELOW)
