"""What a policy may have counted, and what is refused before anything is queried."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glidepath.evidence import source_of
from glidepath.evidence.source import quoted
from glidepath.policy import Policy, ReleaseSpec, for_run
from glidepath.policy.counted import Counted, filled
from glidepath.policy.presets import PRESETS
from tests.unit.evidence.exposed import matchers
from tests.unit.policy.test_policy import MINIMAL, parsed, refusal

OWN = "evidence: {source: own, counts: {requests: http_requests_total, errors: {code: '=~5..'}, version: {label: version}%s}}\n"


@pytest.mark.parametrize(
    ("evidence", "told"),
    [
        ("{source: own}", "own without counts.requests, counts.errors, counts.version"),
        ("{source: own, counts: {requests: http_requests_total, version: {label: v}}}", "own without counts.errors"),
        ("{source: app, counts: {requests: http_requests_total}}", "source: app has its own names"),
        ("{source: own, counts: {requests: 'http_requests_total{a=\"b\"}'}}", "counts.requests: given"),
        ("{source: own, counts: {errors: {'co de': '5'}}}", "counts.errors.co de"),
        ("{source: own, counts: {errors: {code: '5..'}}}", "looks like a pattern"),
        ("{source: own, counts: {where: {job: '{pod}'}}}", "{pod} stands for nothing; expected {service}, {namespace}"),
        ("{source: own, counts: {version: {}}}", "expected one of `label: NAME`"),
        ("{source: own, counts: {version: {label: v, pod_name: true}}}", "expected one of `label: NAME`"),
        ("{source: own, counts: {version: {label: v, value: fixed}}}", "expected {version} or {workload} in it"),
        ("{source: own, counts: {version: {label: v, value: '=~({version}'}}}", "is no regular expression"),
        ("{source: own, counts: {version: {label: v, value: '=~(?!x){version}'}}}", "has a look-around"),
        ("{source: own, counts: {version: {label: v, value: 'out|{version}|.*'}}}", "looks like a pattern"),
        ("{source: promhttp, counts: {errors: {}}}", "source: promhttp without counts.errors"),
        ("{source: promhttp, counts: {errors: {code: []}}}", "expected a value or values"),
        ("{source: micrometer, histograms: native}", "which only classic histograms have"),
        ("{source: own, counts: {version: {pod_label: 'a b'}}}", "counts.version.pod_label: given 'a b'"),
        ("{source: own, counts: {latency: {histogram: x_bucket}}}", "expected 'x': its name without _bucket"),
        ("{source: own, counts: {latency: {histogram: x, unit: hours}}}", "counts.latency.unit: given 'hours'"),
        ("{source: own, counts: {pod: 'kubernetes.pod'}}", "counts.pod: given 'kubernetes.pod'"),
    ],
)
def test_what_is_no_name_or_says_too_little_is_refused(evidence: str, told: str) -> None:
    assert told in refusal(f"{MINIMAL}evidence: {evidence}\n")


def test_what_a_release_was_started_with_is_what_it_goes_on_with() -> None:
    policy = parsed(MINIMAL + OWN % ", latency: {histogram: http_request_duration_seconds}")
    spec = for_run(policy, {"version": "v2"})
    again = ReleaseSpec.from_dict(json.loads(json.dumps(spec.to_dict())))
    assert again == spec
    assert source_of(again, ["v1", "v2"]) == source_of(spec, ["v1", "v2"])


def test_a_release_under_way_counts_the_same_when_its_preset_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    told = json.dumps(for_run(parsed(MINIMAL + "evidence: {source: promhttp}\n"), {"version": "v2"}).to_dict())
    before = source_of(ReleaseSpec.from_dict(json.loads(told)), ["v1", "v2"])
    assert before.requests.startswith("http_requests_total{")
    monkeypatch.setitem(PRESETS, "promhttp", PRESETS["grpc"])
    assert source_of(ReleaseSpec.from_dict(json.loads(told)), ["v1", "v2"]) == before


def test_a_spec_of_before_goes_on_as_it_was() -> None:
    spec = for_run(parsed(MINIMAL), {"version": "v2"}).to_dict()
    del spec["evidence"]["counts"]
    spec["evidence"]["source"] = "app"
    assert source_of(ReleaseSpec.from_dict(spec), ["v1"]).requests.startswith("app_predictions_total{namespace=")


@given(
    st.text(max_size=40)
    .filter(lambda text: not text.startswith(("=", "{")))
    .filter(lambda text: not re.search(r"[{}]", text))
)
def test_no_value_breaks_out_of_a_query(text: str) -> None:
    made = Counted.model_validate(
        {
            "requests": "r_total",
            "errors": {"e": text},
            "where": {"w": text},
            "ignore": {"i": text},
            "version": {"label": "v"},
        }
    )
    policy = parsed(MINIMAL)
    evidence = policy.evidence.model_copy(update={"source": "own", "counts": made})
    source = source_of(policy.model_copy(update={"evidence": evidence}), ["v1"])
    name, found = matchers(source.requests)
    assert name == "r_total"
    by_label = {label: pattern for label, _, pattern in found}
    assert re.fullmatch(by_label["w"], text)
    assert re.fullmatch(by_label["i"], text)
    assert source.is_error({"e": text})


@given(
    st.from_regex(r"[a-z0-9][a-z0-9-]{0,10}[a-z0-9]", fullmatch=True), st.from_regex(r"[a-z0-9.-]{1,9}", fullmatch=True)
)
def test_what_stands_for_a_name_is_that_name_and_no_pattern(service: str, version: str) -> None:
    names = {"service": service, "version": version}
    assert re.fullmatch(filled("{service}.x-{version}", names), f"{service}.x-{version}")
    pattern = filled("=~.*[|]{version}[|]{service}", names)
    assert re.fullmatch(pattern, f"out|{version}|{service}")
    assert not re.fullmatch(pattern, f"out|{version}0|{service}")
    assert json.loads(quoted(pattern)) == pattern


def test_a_policy_s_own_words_go_before_its_source_s() -> None:
    under = Counted.model_validate({"requests": "a_total", "pod": "p", "errors": {"code": "500"}})
    over = Counted.model_validate({"requests": "b_total", "errors": {}})
    assert (over.over(under).requests, over.over(under).pod, over.over(under).errors) == ("b_total", "p", {})


def test_latency_that_nobody_says_is_refused_where_a_metric_asks_for_it() -> None:
    told = refusal(MINIMAL + OWN % "")
    assert "latency_p95 asks for latency, and evidence.counts names no histogram" in told
    assert isinstance(parsed(f"{MINIMAL}metrics: [{{kind: errors}}]\n{OWN % ''}"), Policy)
