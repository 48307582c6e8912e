"""Prints what py-grpc-prometheus exposes after calls of known number, twice. Keep in step with tests/unit/evidence/behaviour/test_presets.py."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from prometheus_client import CollectorRegistry, generate_latest
from py_grpc_prometheus.prometheus_server_interceptor import PromServerInterceptor

ROUNDS, PROBES = ((20, 1, 2), (120, 5, 12)), 10
CODES = (None, grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNAVAILABLE)


def buy(asked: bytes, context: grpc.ServicerContext) -> bytes:
    """As asked: the number of a code."""
    if (code := CODES[int(asked)]) is not None:
        context.abort(code, "as asked")
    return b""


def main() -> None:
    """Print both scrapes."""
    registry = CollectorRegistry()
    counting = PromServerInterceptor(enable_handling_time_histogram=True, registry=registry)
    server = grpc.server(ThreadPoolExecutor(max_workers=1), interceptors=[counting])
    shop = {"Buy": grpc.unary_unary_rpc_method_handler(buy)}
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("shop.Shop", shop)])
    health_pb2_grpc.add_HealthServicer_to_server(health.HealthServicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call, probe = channel.unary_unary("/shop.Shop/Buy"), health_pb2_grpc.HealthStub(channel)
        sent = [0, 0, 0]
        for number, wanted in enumerate(ROUNDS):
            for code, count in enumerate(wanted):
                for _ in range(count - sent[code]):
                    done = call.future(str(code).encode())
                    assert done.code() is (CODES[code] or grpc.StatusCode.OK)
                sent[code] = count
            for _ in range(PROBES):
                probe.Check(health_pb2.HealthCheckRequest())
            print(f"# scrape {number}\n{generate_latest(registry).decode()}", end="")
    server.stop(None)


if __name__ == "__main__":
    main()
