// One release, in the order in which an on-caller asks: what is it, what comes next, who is hit, why.
import { evidence, polled, read, released, report, task } from "./client.js";
import { metricChart, weightChart } from "./charts.js";
import { controls } from "./controls.js";
import { clock, copyable, count, h, number, span, when } from "./dom.js";

const POLL_S = 5;
// Of a timeline that is longer the rest is shown when asked for.
const LINES = 40;
const ANSWERS = { harmful: "harmful", suspicious: "harm suspected", comparable: "comparable", open: "not decided", advisory: "advisory" };
const TONES = { harmful: "bad", suspicious: "waiting", comparable: "good", open: "calm", advisory: "calm" };

const section = (title, ...children) => h("section", {}, h("h2", {}, title), ...children);

function identity(run, { identity: one, now }) {
  const step = one.step ? `${Math.min(one.step, one.steps)} of ${one.steps}` : `before the first of ${one.steps}`;
  const weights = one.weights.map((weight) => `${weight} %`).join(", ");
  const pairs = [
    ["Service", `${one.service} in ${one.namespace}`],
    ["Versions", `${one.stable} → ${one.canary}`],
    ["Step", `${step} (${weights})`],
    ["Started", [when(one.started), run.started_by ? ` by ${run.started_by}` : ""]],
    [one.ended ? "Took" : "Elapsed", span((one.ended ?? now) - one.started)],
  ];
  if (run.state) pairs.push(["Airflow's run", run.paused && !one.ended ? `${run.state}; its DAG is paused` : run.state]);
  const policy = h("details", {}, h("summary", {}, "Policy, as it was planned"), h("pre", { tabindex: "0" }, JSON.stringify(one.policy, null, 1)));
  return [h("dl", { class: "pairs" }, pairs.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))), policy];
}

function next(run, { coming, identity: one, now }) {
  if (one.ended) return [h("p", {}, "Nothing: the release is over.")];
  const paused = run.paused ? [h("li", {}, "The DAG is paused: no task starts, whatever is decided. The guard looks on, and takes harm back.")] : [];
  const items = coming.map(({ what, at }) => {
    const time = at ? [h("strong", {}, at > now ? [when(at), ` (in ${span(at - now)})`] : ["since ", when(at)]), ": "] : [];
    return h("li", {}, time, `${what}.`);
  });
  return [h("ul", {}, paused, items)];
}

function exposure({ exposure: arms }) {
  if (!arms.length) return [h("p", {}, "The canary has had no requests.")];
  const bar = (one) => h("div", { class: `bar ${one.role}`, "aria-hidden": "true" },
    h("div", { class: "filled", style: `width:${one.observed ?? 0}%` }), h("div", { class: "mark", style: `left:${one.wanted}%` }));
  const rows = arms.map((one) => h("tr", {},
    h("th", { scope: "row" }, `${one.role} ${one.version}`),
    h("td", { class: "number" }, count(one.requests)), h("td", { class: "number" }, count(one.errors)),
    h("td", { class: "number" }, `${one.wanted} %`), h("td", { class: "number" }, one.observed === null ? "…" : `${one.observed.toFixed(1)} %`),
    h("td", { class: "wide" }, bar(one))));
  const heads = ["Version", "Requests", "Failed", "Wanted", "Observed", ""].map((one, place) => h("th", { scope: "col", class: place && one ? "number" : null }, one || h("span", { class: "hidden" }, "Bar")));
  return [h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Exposure" }, h("table", { class: "exposure" }, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, rows)))];
}

const judged = (one) => one.unit !== "mean";
const within = (one) => !judged(one) ? "told only" : `in [${number(one.low, one.unit)}, ${number(one.high, one.unit)}]${one.unit === "points" ? " points" : ""}`;

function limits(one) {
  const sign = { below: "−", both: "±", above: "" }[one.sides];
  const bare = (value) => (one.sides === "above" ? number(value, one.unit) : sign + number(value, one.unit).replace(/^\+/, ""));
  return { harm: bare(one.limit), safe: bare(one.safe_limit) };
}

function tile(one, status, left) {
  const { series, weights } = status;
  const { harm, safe } = limits(one);
  const track = series.metrics[one.name];
  const told = `${one.name} over time: now ${number(one.effect, one.unit)} ${within(one)}${judged(one) ? `; harm beyond ${harm}, comparable within ${safe}` : ""}`;
  const wait = one.answer === "open" && left ? h("p", { class: "quiet" }, `about ${span(left[0])} to ${span(left[1])} more, if comparable`) : null;
  return h("article", { class: "tile" },
    h("h3", {}, one.name, " ", h("span", { class: `chip ${TONES[one.answer]}` }, ANSWERS[one.answer])),
    h("p", { class: "effect" }, number(one.effect, one.unit), h("span", { class: "quiet" }, ` ${within(one)}`)),
    track && series.at.length > 1 ? metricChart(one, series.at, track, weights, told) : h("p", { class: "quiet" }, "Too few looks for a chart."),
    !judged(one) ? null : h("p", { class: "legend quiet" }, h("span", { class: "key limit" }), ` harm ${harm}`, h("span", { class: "key safe" }), ` comparable ${safe}`, h("span", { class: "key band" }), " interval"),
    wait);
}

function table({ metrics, look, now, identity: one }) {
  const share = (value, unit) => (value === null ? "…" : unit === "points" ? `${(100 * value).toFixed(2)} %` : `${(1000 * value).toFixed(1)} ms`);
  const rows = metrics.map((metric) => h("tr", {},
    h("th", { scope: "row" }, metric.name, h("div", { class: "quiet" }, metric.role)),
    h("td", { class: "number" }, share(metric.stable, metric.unit)), h("td", { class: "number" }, share(metric.canary, metric.unit)),
    h("td", { class: "number" }, number(metric.effect, metric.unit)), h("td", {}, within(metric)),
    h("td", {}, h("span", { class: `chip ${TONES[metric.answer]}` }, ANSWERS[metric.answer]),
      !judged(metric) ? null : h("div", { class: "quiet" }, `harm ${metric.harm_e.toPrecision(3)} of ${metric.harm_threshold.toFixed(0)}, safe ${metric.safety_e.toPrecision(3)} of ${metric.safety_threshold.toFixed(0)}`),
      metric.note ? h("div", { class: "quiet" }, metric.note) : null),
    h("td", {}, metric.query ? copyable(metric.query, `the query of ${metric.name}`) : "")));
  const heads = ["Metric", one.stable, one.canary, "Effect", "Interval", "Answer and evidence", "Query"].map((name, place) => h("th", { scope: "col", class: place > 0 && place < 4 ? "number" : null }, name));
  const age = look ? h("p", { class: "quiet" }, look.decided ? "As of the look that decided, " : "As of ", `look ${look.seq} at ${clock(look.at)}`, one.ended ? "." : `, ${span(now - look.at)} ago.`) : null;
  return [age ?? "", h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Metrics" }, h("table", { class: "metrics" }, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, rows)))];
}

function timeline({ timeline: told, series }, all, more) {
  const lines = [...told, ...series.moments].sort((a, b) => a.at - b.at).reverse();
  const shown = all ? lines : lines.slice(0, LINES);
  const rest = lines.length - shown.length;
  const button = rest ? [h("button", { type: "button", onclick: more }, `Show ${rest} more`)] : [];
  return [
    h("ol", { class: "timeline" }, shown.map((one) => h("li", { class: one.tone }, when(one.at), h("span", {}, one.text)))),
    ...button,
  ];
}

// Pods that are gone: why did it fail?
function pods({ pods: seen }) {
  return seen.map((pod) => h("details", { "data-pod": pod.name },
    h("summary", {}, `${pod.name}: ${pod.containers.map((one) => `${one.name} ${one.state}`).join("; ") || pod.phase}`),
    pod.events.length ? h("ul", {}, pod.events.map((one) => h("li", {}, one))) : null,
    pod.containers.map((one) => [
      h("h3", {}, `${one.name}, ${one.restarts} restarts`),
      one.log.length ? h("pre", { tabindex: "0", "aria-label": `Last lines of ${one.name}` }, one.log.join("\n")) : h("p", { class: "quiet" }, "No lines of its log."),
    ])));
}

function links({ identity: one, take_back }, grafana, list) {
  const command = take_back ? [h("li", {}, "Take it back without this page: ", copyable(take_back, "the command"))] : [];
  const board = grafana ? [h("li", {}, h("a", { href: grafana }, "Both versions in Grafana, at this time"))] : [];
  return [h("ul", { class: "links" }, command, board,
    h("li", {}, h("a", { href: task(one.dag_id, one.run_id, "guard") }, "The guard's log"), ": each look in a line"),
    h("li", {}, h("a", { href: report(one.dag_id, one.run_id) }, "The report"), ": what was declared beforehand, what was seen and decided, to keep or to send"),
    h("li", {}, h("a", { href: evidence(one.dag_id, one.run_id), download: "evidence.jsonl" }, "The recorded evidence (JSON Lines)"), ", to judge it again: ", copyable(`glidepath export '${one.id}'`, "the command")),
    h("li", {}, h("a", { href: list }, "All releases")))];
}

// What came since is laid behind what was there.
function joined(old, new_) {
  if (!old || !new_.after) return new_;
  const metrics = {};
  for (const name of new Set([...Object.keys(old.metrics), ...Object.keys(new_.metrics)])) {
    const none = (series) => series.seq.map(() => null);
    const of = (series, part) => series.metrics[name]?.[part] ?? none(series);
    metrics[name] = Object.fromEntries(["effect", "low", "high"].map((part) => [part, [...of(old, part), ...of(new_, part)]]));
  }
  const columns = Object.fromEntries(["seq", "at", "weight", "stable", "canary", "moments"].map((name) => [name, [...old[name], ...new_[name]]]));
  return { ...columns, metrics, after: 0 };
}

function page(root, dagId, runId, list, again) {
  const parts = Object.fromEntries(["identity", "next", "exposure", "weight", "tiles", "table", "timeline", "pods", "links"].map((name) => [name, h("div", {})]));
  const [state, sentence, stale] = [h("p", { class: "state" }), h("p", { class: "sentence" }), h("p", { class: "stale", role: "alert" })];
  const [title, banner] = [h("h1", {}), h("div", { class: "banner", role: "status" }, state, sentence)];
  const buttons = controls(dagId, runId, again);
  const gone = section("Last seen of the canary's pods", parts.pods);
  gone.hidden = true;
  root.replaceChildren(title, stale, banner, section("Release", parts.identity), section("What happens next", parts.next, buttons.element),
    section("Exposure", parts.exposure), section("Weight over time", parts.weight), section("Metrics", parts.tiles),
    section("Metrics in numbers", parts.table), section("Timeline", parts.timeline), gone, section("Links", parts.links));
  let all = false;
  return {
    stale: (text) => { stale.textContent = text; },
    draw({ run, status, grafana, may_ask: may }) {
      const { banner: said, series, weights, metrics, look, now, identity: one } = status;
      title.textContent = `${one.service} ${one.stable} → ${one.canary}`;
      banner.className = `banner ${said.tone}`;
      if (state.textContent !== said.state) state.textContent = said.state;
      if (sentence.textContent !== said.sentence) sentence.textContent = said.sentence;
      parts.identity.querySelector("details")?.open || parts.identity.replaceChildren(...identity(run, status));
      parts.next.replaceChildren(...next(run, status));
      buttons.offer(status.actions, may, status.question);
      parts.exposure.replaceChildren(...exposure(status));
      parts.weight.replaceChildren(weights.length
        ? h("figure", {}, weightChart(weights, series, one.ended ?? now, `Weight of ${one.canary} over time: now ${weights[weights.length - 1].weight} %`),
          h("figcaption", { class: "legend quiet" }, h("span", { class: "key wanted" }), " wanted ", h("span", { class: "key observed" }), " observed between looks"))
        : h("p", {}, "No weight has been given."));
      parts.tiles.className = "tiles";
      parts.tiles.replaceChildren(...(metrics.length ? metrics.map((metric) => tile(metric, status, look?.left_s)) : [h("p", {}, "No look yet.")]));
      parts.table.replaceChildren(...table(status));
      const draw = () => parts.timeline.replaceChildren(...timeline(status, all, () => { all = true; draw(); }));
      draw();
      gone.hidden = !status.pods.length;
      // Drawn once: whoever has opened one reads it.
      if (status.pods.length && !parts.pods.children.length) parts.pods.replaceChildren(...pods(status));
      parts.links.replaceChildren(...links(status, grafana, list));
    },
  };
}

export function releaseOf(root, dagId, runId, list) {
  let [view, tag, series] = [null, null, null];
  root.replaceChildren(h("h1", {}, "Release"), h("p", { role: "status" }, "Reading the record …"));
  const call = async () => {
    try {
      const answer = await read(`${released(dagId, runId)}?after=${series ? series.seq[series.seq.length - 1] ?? 0 : 0}`, tag);
      if (answer) {
        ({ tag } = answer);
        series = joined(series, answer.body.status.series);
        view ??= page(root, dagId, runId, list, call);
        view.draw({ ...answer.body, status: { ...answer.body.status, series } });
      }
      view?.stale("");
      return POLL_S;
    } catch (error) {
      const over = [401, 403, 404].includes(error.status);
      if (view) view.stale(`Not up to date: ${error.message}`);
      else root.replaceChildren(h("h1", {}, "Release"), h("p", { role: "alert", class: "refused" }, error.message));
      return over && !view ? null : POLL_S;
    }
  };
  return polled(call, POLL_S);
}
