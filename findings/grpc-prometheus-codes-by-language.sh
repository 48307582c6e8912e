#!/usr/bin/env bash
# py-grpc-prometheus 0.8.0: the metrics and labels of Go's interceptors, with other values in them.
#
# One would expect: `grpc_server_handled_total{grpc_type="unary",grpc_code="Unavailable"}` is what a failed call counts as,
# whatever language the server is in: the names are those of Go's (go-grpc-middleware's prometheus 1.1.0 writes just this),
# so a dashboard or an alert for one serves the other.
# Seen: Python's writes the codes as Python's enum spells them, `grpc_code="UNAVAILABLE"`, and `grpc_type="UNARY"`. A query
# written for Go servers, such as `grpc_code=~"Unavailable|Internal|Unknown"`, finds no error of a Python server, ever.
#
# Serves three calls over loopback and prints what is counted. Fails if it comes to do otherwise.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "py-grpc-prometheus==0.8.0" "grpcio==1.85.1" "prometheus-client==0.26.0" "setuptools==84.2.1"
"$folder/venv/bin/python" - <<'PY'
from concurrent.futures import ThreadPoolExecutor

import grpc
from prometheus_client import REGISTRY, generate_latest
from py_grpc_prometheus.prometheus_server_interceptor import PromServerInterceptor


def say(request, context):
    if request == b"down":
        context.abort(grpc.StatusCode.UNAVAILABLE, "away")
    return request


same = lambda value: value
handler = grpc.method_handlers_generic_handler(
    "shop.Prices", {"Say": grpc.unary_unary_rpc_method_handler(say, request_deserializer=same, response_serializer=same)}
)
server = grpc.server(ThreadPoolExecutor(2), interceptors=(PromServerInterceptor(),))
server.add_generic_rpc_handlers((handler,))
port = server.add_insecure_port("127.0.0.1:0")
server.start()
with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
    call = channel.unary_unary("/shop.Prices/Say", request_serializer=same, response_deserializer=same)
    for given in (b"price", b"price", b"down"):
        try:
            call(given, timeout=10)
        except grpc.RpcError as error:
            print("a call ends with", error.code())
server.stop(1).wait()
seen = [
    dict(sample.labels) | {"value": sample.value}
    for family in REGISTRY.collect()
    for sample in family.samples
    if sample.name == "grpc_server_handled_total" and sample.value
]
for one in seen:
    print("grpc_server_handled_total", one)
codes = {one.get("grpc_code", one.get("code")) for one in seen}
types = {one["grpc_type"] for one in seen}
assert codes == {"OK", "UNAVAILABLE"}, codes
assert types == {"UNARY"}, types
print("as described")
PY
