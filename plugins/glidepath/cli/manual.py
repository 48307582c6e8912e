"""What a command's help says below its options: examples, exit codes, what else to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import click

PLAIN = {0: "done", 1: "refused, or it could not be done: why goes to stderr", 2: "the command is not understood"}
STANDS = PLAIN | {0: "promoted, or nothing to do", 1: "taken back or refused", 3: "a person is asked", 4: "undecided"}
READ = STANDS | {5: "it can't be read"}
STARTED = STANDS | {
    0: "started; with --wait: promoted, or nothing to do",
    4: "with --wait: undecided when the time is over",
    5: "it is not known whether it is started; with --wait: it is, and can't be followed",
}
# The commands in the order in which a newcomer meets them, each in some words.
SECTIONS: Mapping[str, Mapping[str, str]] = {
    "Begin": {
        "init": "write a first policy for a service that runs",
        "validate": "say whether policies are valid",
        "plan": "say what a release would be; reads only",
        "adopt": "bring a service that runs by plain Helm here",
    },
    "Release": {
        "release": "start a release",
        "approve": "let one that asks begin, or promote it",
        "reject": "take back one that asks",
        "hold": "give one no further weight for now",
        "resume": "let one that is held go on",
        "take-back": "all requests on the stable version, at once",
        "commit": "end the observation after a promotion",
    },
    "Look": {
        "status": "say how a release stands, or follow it",
        "history": "list releases",
        "report": "write the report of a release",
    },
    "Judge again": {
        "export": "write the evidence of a release",
        "replay": "judge evidence again, by any policy",
        "backtest": "what another policy would have decided",
        "schema": "the JSON Schema of evidence",
    },
    "Shell": {"completion": "complete commands and releases in a shell"},
}


@dataclass(frozen=True)
class Manual:
    """What a command's help says below its options.

    Attributes:
        examples: Command lines, each with what it does.
        see: Commands that are used with it.
        codes: What its exit codes mean.
    """

    examples: Mapping[str, str]
    see: tuple[str, ...] = ()
    codes: Mapping[int, str] = field(default_factory=lambda: PLAIN)


MANUALS: Mapping[str, Manual] = {
    "init": Manual(
        {"glidepath init --service prices -n shop --prometheus http://localhost:9090 --file include/policies/prices.yaml":
         "write a first policy for what runs"}, ("validate", "plan", "adopt"),
    ),
    "validate": Manual({"glidepath validate include/policies/*.yaml": "check all policies, in a CI job"}, ("plan",)),
    "plan": Manual(
        {"glidepath plan include/policies/prices.yaml --version 1.4.2 --prometheus http://localhost:9090":
         "say what a release would do, and how long it takes"}, ("validate", "release"),
    ),
    "adopt": Manual(
        {"glidepath adopt include/policies/prices.yaml --version 1.4.1": "bring a service that runs by plain Helm here",
         "glidepath adopt include/policies/prices.yaml --version 1.4.1 --dry-run": "say whether it can be, and what would be done",
         "glidepath adopt include/policies/prices.yaml --back": "and back out"}, ("init", "plan"),
    ),
    "release": Manual(
        {"glidepath release prices --version 1.4.2": "start it, and say where to look",
         "glidepath release prices --version 1.4.2 --wait --timeout 3600": "in a CI job: end as the release does",
         "glidepath release prices --version 1.4.2 --weights 5,20,60 --bake 2m": "with weights of its own",
         "glidepath release prices --version 1.4.2 --dry-run --wait": "plan only; touch nothing"},
        ("status", "approve", "take-back"), STARTED,
    ),
    "approve": Manual(
        {'glidepath approve --service prices --reason "load test passed"': "let it begin, or promote it"}, ("reject", "status")
    ),
    "reject": Manual({'glidepath reject --service prices --reason "wrong build"': "take it back"}, ("approve", "status")),
    "hold": Manual(
        {'glidepath hold --service prices --reason "sale until noon"': "give it no further weight for now"}, ("resume", "take-back")
    ),
    "resume": Manual({'glidepath resume --service prices --reason "the sale is over"': "let it go on"}, ("hold",)),
    "take-back": Manual(
        {'glidepath take-back --service prices --reason "INC-1234, checkout fails"': "all requests on the stable version, now",
         'glidepath take-back --service prices --reason "drill" --dry-run': "say whether it would"}, ("status", "hold"),
    ),
    "commit": Manual(
        {'glidepath commit --service prices --reason "no alerts for a day"': "end the observation: the old version goes"}, ("status",)
    ),
    "status": Manual(
        {"glidepath status": "the newest release",
         "glidepath status --service prices --watch": "follow it until it is over",
         "glidepath status --service prices -o json": "for a script"}, ("history", "report", "take-back"), READ,
    ),
    "history": Manual({"glidepath history --service prices --limit 5": "its last five releases"}, ("status", "report")),
    "report": Manual(
        {"glidepath report --service prices --file prices.html": "the newest release's, as one page",
         "glidepath report --service prices --policy stricter.yaml": "and what another policy would have decided"},
        ("export", "backtest"),
    ),
    "export": Manual(
        {"glidepath export release_prices/manual__2026-11-27T10:00:00+00:00 --file evidence.jsonl": "keep what it was judged by"},
        ("replay", "backtest", "schema"),
    ),
    "replay": Manual(
        {"glidepath replay evidence.jsonl": "judge it again as it was judged",
         "glidepath replay evidence.jsonl --policy stricter.yaml": "by another policy"}, ("export", "backtest"),
    ),
    "backtest": Manual(
        {"glidepath backtest recorded --policy stricter.yaml": "which recorded decisions it would have changed"}, ("export", "replay")
    ),
    "schema": Manual({"glidepath schema": "what the lines of `export` have"}, ("export",)),
    "completion": Manual({"source <(glidepath completion bash)": "complete commands, options and releases in this shell"}),
}  # fmt: skip


class Sections(click.Group):
    """A group that lists its commands by what they are for."""

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - its signature
        """Write the list."""
        for title, rows in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(list(rows.items()))


def epilog(name: str) -> str:
    """What a command's help ends with."""
    manual = MANUALS[name]
    lines = [line for command, told in manual.examples.items() for line in (f"# {told}", command)]
    codes = [f"{code}  {told}" for code, told in manual.codes.items()]
    parts = [("Examples:", lines), ("Exit codes:", codes)]
    if manual.see:
        parts.append(("See also:", [", ".join(f"glidepath {other}" for other in manual.see)]))
    # Between \b and the next empty line click leaves lines as they are.
    return "\n\n".join("\n".join(["\b", title, *(f"  {line}" for line in text)]) for title, text in parts)
