// All releases, the newest first.
import { polled, read } from "./client.js";
import { h, span, when } from "./dom.js";

const POLL_S = 10;

function row(one, link) {
  const place = one.steps ? `${one.step} of ${one.steps}` : "";
  const cell = (name, ...children) => h("td", { "data-name": name }, ...children);
  return h("tr", {},
    cell("State", h("span", { class: `chip ${one.tone}` }, one.state)),
    h("th", { scope: "row", "data-name": "Release" }, h("a", { href: link(one.dag_id, one.run_id) }, `${one.service} ${one.stable} → ${one.canary}`), h("div", { class: "quiet" }, one.namespace)),
    cell("Step", place, one.weight && !one.ended ? h("div", { class: "quiet" }, `${one.weight} %`) : null),
    cell("Started", when(one.started)),
    cell("Took", span((one.ended ?? Date.now() / 1000) - one.started)),
    cell("Why", h("div", { class: "why", title: one.why }, one.why)));
}

export function listOf(root, link) {
  const filter = h("input", { type: "search", id: "filter", placeholder: "service, version, state or reason" });
  const body = h("tbody", {});
  const heads = ["State", "Release", "Step", "Started", "Took", "Why"].map((one) => h("th", { scope: "col" }, one));
  const told = h("p", { class: "quiet", role: "status" }, "Reading the record …");
  let rows = [];
  const draw = () => {
    const wanted = filter.value.toLowerCase();
    const shown = rows.filter((one) => [one.service, one.namespace, one.stable, one.canary, one.state, one.why].join(" ").toLowerCase().includes(wanted));
    body.replaceChildren(...shown.map((one) => row(one, link)));
    told.textContent = rows.length ? `${shown.length} of ${rows.length} releases` : "No release yet. Trigger a release DAG, and it stands here.";
  };
  filter.addEventListener("input", draw);
  root.replaceChildren(h("h1", {}, "Releases"), h("p", { class: "search" }, h("label", { for: "filter" }, "Filter"), filter), told,
    h("table", { class: "releases" }, h("thead", {}, h("tr", {}, heads)), body));
  return polled(async () => {
    try {
      const { body: answer } = await read("releases?limit=500");
      const text = JSON.stringify(answer.releases);
      if (text !== JSON.stringify(rows) || !rows.length) {
        rows = answer.releases;
        draw();
      }
    } catch (error) {
      told.textContent = error.message;
      if (error.status === 401 || error.status === 403) return null;
    }
    return POLL_S;
  }, POLL_S);
}
