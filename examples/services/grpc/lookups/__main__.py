"""The server: python3 -m lookups. gRPC on 8000, /metrics on 9100."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from prometheus_client import start_http_server
from py_grpc_prometheus.prometheus_server_interceptor import PromServerInterceptor

from lookups import METHOD, NAME, StringValue

COUNTRIES = {"+1": "US", "+31": "NL", "+44": "GB", "+49": "DE"}
# What a database takes to answer, seconds: a gamma distribution of this shape.
MEAN_S, SHAPE = 0.055, 4.0
# What is wrong with a version that is to be taken back.
ERROR_RATE = float(os.environ.get("FAULT_ERROR_RATE") or 0)
LATENCY_FACTOR = float(os.environ.get("FAULT_LATENCY_FACTOR") or 1)
DRAIN_S = 5.0


def country(number: StringValue, context: grpc.ServicerContext) -> StringValue:
    """Which country a number is of."""
    time.sleep(random.gammavariate(SHAPE, MEAN_S * LATENCY_FACTOR / SHAPE))
    if random.random() < ERROR_RATE:
        context.abort(grpc.StatusCode.UNAVAILABLE, "the database does not answer")
    found = next((name for prefix, name in COUNTRIES.items() if number.value.startswith(prefix)), "unknown")
    return StringValue(value=found)


def main() -> None:
    """Serve until SIGTERM, then finish what is under way."""
    start_http_server(9100)
    counting = PromServerInterceptor(enable_handling_time_histogram=True)
    server = grpc.server(ThreadPoolExecutor(max_workers=32), interceptors=[counting])
    method = grpc.unary_unary_rpc_method_handler(country, StringValue.FromString, StringValue.SerializeToString)
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(NAME, {METHOD: method})])
    well = health.HealthServicer()
    well.set("", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(well, server)
    server.add_insecure_port("0.0.0.0:8000")
    server.start()
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    ended.wait()
    server.stop(DRAIN_S).wait()


if __name__ == "__main__":
    main()
