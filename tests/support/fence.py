"""The fence of the chart (charts/glidepath), for the API server in memory."""

from __future__ import annotations

import re

from tests.support.fields import Object, Refused

TOKEN, STATE, WRITE = "glidepath.dev/token", "glidepath.dev/state", "glidepath.dev/write"
APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
# Who merges a whole object on the client, and sends a patch.
WHOLE = ("kubectl-client-side-apply", "argocd-controller", "kustomize-controller", "fleetagent", "kapp")
FENCED = frozenset({"virtualservices", "destinationrules", "deployments", "statefulsets"})


def fence(base: str, name: str, old: Object, new: Object | None, manager: str, patch: str) -> None:
    """Refuse what the chart's ValidatingAdmissionPolicies refuse; `new` is None for a deletion.

    Raises:
        Refused: In their words.
    """
    plural = base.split("/")[-1]
    before = old["metadata"].get("annotations") or {}
    if plural == "leases":
        _claim(old, new, manager)
    if plural not in FENCED or before.get(STATE) != "held":
        return
    was = before.get(TOKEN, "0")
    after = (new or {}).get("metadata", {}).get("annotations") or {}
    now = after.get(TOKEN, "")
    text = f"a release holds this object with token {was}, "
    longest = 15 if manager == "glidepath" or manager.startswith("helm") else 12
    if new is None or not _number(now) or int(now) < int(was) or (len(now) > longest and now != was):
        text += f"this write has {now or 'none'}"
        raise Refused(422, "Invalid", f'{plural} "{name}" is forbidden: denied request: {TOKEN}: {text}')
    if (new["metadata"].get("labels") or {}).get("app") != (old["metadata"].get("labels") or {}).get("app"):
        text += "and knows it by its label app"
        raise Refused(422, "Invalid", f'{plural} "{name}" is forbidden: denied request: {TOKEN}: {text}')
    whole = (
        patch == "apply" or manager.startswith("helm") or manager in WHOLE or before.get(APPLIED) != after.get(APPLIED)
    )
    if whole and manager != "glidepath" and new.get("spec") != old.get("spec"):
        had, has = (notes.get(WRITE, "0") for notes in (before, after))
        if not _number(has) or (_number(had) and int(has) <= int(had)):
            text += f"and {manager} applies a whole object without knowing of it"
            raise Refused(422, "Invalid", f'{plural} "{name}" is forbidden: denied request: {TOKEN}: {text}')


def _claim(old: Object, new: Object | None, manager: str) -> None:
    holder, name = (old.get("spec") or {}).get("holderIdentity"), old["metadata"]["name"]
    if not holder:
        return
    was, now = (((one or {}).get("metadata") or {}).get("annotations") or {} for one in (old, new))
    if new is None:
        raise Refused(422, "Invalid", f'leases "{name}" is forbidden: denied request: {holder} holds this service')
    if was.get(TOKEN, "0") != now.get(TOKEN, "") and manager != "glidepath":
        text = f"the token of {holder} is written by Glidepath only"
        raise Refused(422, "Invalid", f'leases "{name}" is forbidden: denied request: {text}')


def _number(text: str) -> bool:
    return re.fullmatch("[0-9]{1,15}", text) is not None
