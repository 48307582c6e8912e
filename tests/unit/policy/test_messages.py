"""What a policy may say of messages, and what is refused before anything is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from glidepath.errors import PolicyError
from glidepath.policy import for_run
from glidepath.policy.load import parse_policy
from glidepath.policy.messages import filled, names
from glidepath.policy.spec import ReleaseSpec
from tests.support.stage import POLICY

ALL = """\
messages:
- {to: slack, connection: slack_bot, channel: "#releases", mention: "<!subteam^S1>"}
- {to: teams, connection: teams_flow, about: [asks, back, ended]}
- {to: email, connection: smtp_default, sender: releases@shop.example, addresses: [oncall@shop.example]}
- {to: cloudevents, connection: broker, path: /shop, timeout: 2s, tries: 2}
- {to: webhook, connection: github, path: "/repos/acme/shop/statuses/$version", body: {state: $status, context: [a, $service]}}
"""


def test_every_kind_of_channel_has_a_name_in_the_journal() -> None:
    policy = parse_policy(POLICY + ALL, "p.yaml", Path("/checkout"))
    assert names(policy.messages) == ["slack-1", "teams-2", "email-3", "cloudevents-4", "webhook-5"]


def test_they_are_frozen_with_the_release() -> None:
    spec = for_run(parse_policy(POLICY + ALL, "p.yaml", Path("/checkout")), {"version": "v2"})
    assert ReleaseSpec.from_dict(spec.to_dict()).messages == spec.messages


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("{to: pager, connection: x}", "pager"),
        ("{to: slack, channel: '#x'}", "connection"),
        ('{to: slack, connection: x, channel: "a\\nb"}', "channel"),
        ("{to: slack, connection: 'https://hooks.slack.com/secret', channel: '#x'}", "connection"),
        ("{to: email, connection: x, sender: nobody, addresses: [a@b.c]}", "sender"),
        ("{to: email, connection: x, sender: a@b.c, addresses: ['a@b.c, d@e.f']}", "addresses"),
        ("{to: cloudevents, connection: x, timeout: 31s}", "timeout"),
        ("{to: cloudevents, connection: x, about: [everything]}", "everything"),
        ("{to: webhook, connection: x, body: {state: $statuss}}", "statuss"),
        ("{to: webhook, connection: x, body: {price: 5$}}", "expected about"),
        ("{to: webhook, connection: x, path: repos, body: {}}", "begins with /"),
    ],
)
def test_what_can_not_be_is_refused(said: str, why: str) -> None:
    with pytest.raises(PolicyError, match=why):
        parse_policy(f"{POLICY}messages:\n- {said}\n", "p.yaml", Path("/checkout"))


def test_a_template_is_filled_in_at_every_depth() -> None:
    body = {"a": "$state", "b": [{"c": "${weight} %"}, 3, None], "d": "$$5"}
    assert filled(body, {"state": "PROMOTED", "weight": "20"}) == {
        "a": "PROMOTED",
        "b": [{"c": "20 %"}, 3, None],
        "d": "$5",
    }
