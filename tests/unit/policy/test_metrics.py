"""What a policy may count, and what the judge is told of it."""

from __future__ import annotations

import pytest

from glidepath.errors import PolicyError
from glidepath.evidence import source_of
from glidepath.evidence.source import OF_PODS, matches
from glidepath.gate import settings_of
from glidepath.policy import ReleaseSpec, for_run
from tests.unit.replay.world import policy

METRICS = "- {kind: latency, quantile: 0.95}\n"


def with_metric(text: str) -> str:
    return f"{METRICS}- {text}\n"


def test_the_share_of_spam_is_one_line() -> None:
    parsed = policy(METRICS, with_metric("{kind: share, name: spam, event: {result: spam}, margin: 0.05}"))
    assert [one.title for one in parsed.metrics] == ["errors", "latency_p95", "spam"]
    told = settings_of(parsed).metrics[2]
    assert (told.name, told.kind, told.role, told.sides) == ("spam", "share", "critical", "both")
    assert (told.harm_margin, told.safety_margin, told.counted) == (0.05, 0.05, "spam")
    source = source_of(parsed, ["v1", "v2"])
    [share] = source.shares
    assert share.of == share.events == source.requests
    spam, ham = ({"status": "success", "result": result} for result in ("spam", "ham"))
    assert matches(spam, share.among)
    assert matches(ham, share.among)
    assert not matches({"status": "error", "result": "none"}, share.among)
    assert (matches(spam, share.event), matches(ham, share.event)) == (True, False)


def test_another_counter_with_its_own_events() -> None:
    line = "{kind: share, name: miss, counter: lookups_total, event_counter: misses_total, margin: 0.1, sides: above}"
    [share] = source_of(policy(METRICS, with_metric(line)), ["v1", "v2"]).shares
    pods = rf"(?:model\\-service\\-v1|model\\-service\\-v2)-{OF_PODS}"
    assert share.of == f'lookups_total{{namespace="sms-app",pod=~"{pods}",version=~"v1|v2"}}'
    assert share.events.startswith("misses_total{namespace=")
    assert matches({}, share.among)
    assert matches({}, share.event)


def test_errors_as_the_callers_saw_them_beside_the_applications_own() -> None:
    parsed = policy(METRICS, with_metric("{kind: errors, source: mesh, role: guard}"))
    told = settings_of(parsed).metrics[2]
    assert (told.name, told.kind, told.counted) == ("errors_mesh", "errors", "errors_mesh")
    source = source_of(parsed, ["v1", "v2"])
    [share] = source.shares
    assert source.requests.startswith("app_predictions_total")
    assert share.of == share.events
    assert share.of.startswith("istio_requests_total{")
    assert share.version_label == "destination_version"
    codes = ("200", "404", "500", "503", "0")
    assert [matches({"response_code": code}, share.event) for code in codes] == [False, False, True, True, True]


def test_several_values_are_any_of_them() -> None:
    line = "{kind: share, name: odd, event: {result: [spam, 'h.m']}, margin: 0.1}"
    [share] = source_of(policy(METRICS, with_metric(line)), ["v1"]).shares
    told = [matches({"status": "success", "result": result}, share.event) for result in ("spam", "h.m", "ham", "")]
    assert told == [True, True, False, False]


@pytest.mark.parametrize("value", ["5..", "5.+", "2..|5..", "[45]..", "^500$", "ok|", "(4|5)00", "\\\\d+", "50.?"])
def test_a_value_that_looks_like_a_pattern_is_refused_with_how_to_write_it(value: str) -> None:
    line = f'{{kind: share, name: odd, event: {{code: "{value}"}}, margin: 0.1}}'
    with pytest.raises(
        PolicyError, match=r"taken as it stands, and looks like a pattern: write '=~.* or '=.* for exactly"
    ):
        policy(METRICS, with_metric(line))


@pytest.mark.parametrize(
    ("value", "is_one", "is_none"),
    [
        ("=~5..", ["500", "503"], ["50", "5000", "404"]),
        ("=~4..|5..", ["404", "500"], ["200", "4040"]),
        ("=5..", ["5.."], ["500"]),
        ("v1.2", ["v1.2"], ["v1x2"]),
        ("/user/{id}", ["/user/{id}"], ["/user/7"]),
    ],
)
def test_a_pattern_matches_in_full_and_a_value_as_it_stands(value: str, is_one: list[str], is_none: list[str]) -> None:
    line = f'{{kind: share, name: odd, event: {{code: "{value}"}}, among: {{kind: "=~.*"}}, margin: 0.1}}'
    [share] = source_of(policy(METRICS, with_metric(line)), ["v1"]).shares
    assert all(matches({"code": one}, share.event) for one in is_one)
    assert not any(matches({"code": one}, share.event) for one in is_none)


@pytest.mark.parametrize(("value", "told"), [("=~5[", "no regular expression"), ("=~(?!5)..", "look-around")])
def test_a_pattern_that_prometheus_would_not_take_is_refused(value: str, told: str) -> None:
    line = f'{{kind: share, name: odd, event: {{code: "{value}"}}, margin: 0.1}}'
    with pytest.raises(PolicyError, match=told):
        policy(METRICS, with_metric(line))


def test_a_release_under_way_goes_on_by_the_values_it_was_frozen_with() -> None:
    line = "{kind: share, name: odd, event: {code: '=5..'}, margin: 0.1}"
    frozen = for_run(policy(METRICS, with_metric(line)), {"version": "v2"}).to_dict()
    frozen["metrics"][2]["event"]["code"] = "5.."
    [share] = source_of(ReleaseSpec.from_dict(frozen), ["v1"]).shares
    assert matches({"status": "success", "code": "5.."}, share.event)


def test_without_a_metric_of_latency_none_is_asked_for() -> None:
    assert source_of(policy("- {kind: latency, quantile: 0.95}\n", ""), ["v1"]).latency == ""
    assert source_of(policy(), ["v1"]).latency


def test_requests_that_are_nobodys_are_not_asked_for() -> None:
    ignored = policy("source: app", "source: app, ignore: {route: [/healthz, '=~/int.+'], agent: probe}")
    source = source_of(ignored, ["v1", "v2"])
    for selector in (source.requests, source.latency):
        assert selector.endswith(',agent!~"probe",route!~"/healthz|(?:/int.+)"}')
    with pytest.raises(PolicyError, match="looks like a pattern"):
        policy("source: app", "source: app, ignore: {route: '/int.+'}")
    assert "!~" not in source_of(policy(), ["v1"]).requests


def test_a_threshold_asks_for_the_share_of_slower_requests() -> None:
    parsed = policy(METRICS, with_metric("{kind: latency, threshold: 300ms, margin: 0.01}"))
    assert [one.title for one in parsed.metrics] == ["errors", "latency_p95", "slow_300ms"]
    told = settings_of(parsed).metrics[2]
    assert (told.kind, told.threshold, told.harm_margin, told.safety_margin, told.tolerance) == (
        "slow",
        0.3,
        0.01,
        0.01,
        0,
    )
    both = policy(METRICS, with_metric("{kind: latency, threshold: 1s, margin: 0.01, safety_margin: 0.02}"))
    assert settings_of(both).metrics[2].safety_margin == 0.02
    spec = for_run(parsed, {"version": "v2", "tolerance": 1.2})
    assert ReleaseSpec.from_dict(spec.to_dict()) == spec
    assert [settings_of(spec).metrics[at].tolerance for at in (1, 2)] == [1.2, 0]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{kind: latency, threshold: 300ms}", "`threshold` and `margin` together"),
        ("{kind: latency, margin: 0.01}", "`threshold` and `margin` together"),
        ("{kind: latency, quantile: 0.99, safety_margin: 0.01}", "`threshold` and `margin` together"),
        ("{kind: latency, threshold: 300ms, margin: 0.01, quantile: 0.9}", "ask for both in two metrics"),
        ("{kind: latency, threshold: 300ms, margin: 1}", "less than 1"),
        ("{kind: latency, threshold: 0s, margin: 0.01}", "greater than 0"),
    ],
)
def test_a_threshold_that_is_half_said_is_refused(line: str, words: str) -> None:
    with pytest.raises(PolicyError, match=words):
        policy(METRICS, with_metric(line))


def test_only_a_quantile_can_be_superior() -> None:
    with pytest.raises(PolicyError, match="superior"):
        policy(METRICS, "- {kind: latency, threshold: 300ms, margin: 0.01}\ndecision: superior\n")
