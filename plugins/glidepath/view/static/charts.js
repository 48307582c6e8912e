// Charts as SVG: what is drawn follows from the numbers alone.
import { clock, s } from "./dom.js";

// Units of a drawing are pixels where it is shown: narrow in a tile, wide on its own.
const TILE = { width: 360, height: 160 };
const WIDE = { width: 720, height: 170 };
const LEFT = 52;
const RIGHT = 8;
const TOP = 8;
const BOTTOM = 20;

// Values between which a chart shows: all that must be seen, and some room.
export function range(values, least = 0) {
  const known = values.filter((one) => one !== null && one !== undefined && Number.isFinite(one));
  if (!known.length) return [0, 1];
  let [low, high] = [Math.min(...known), Math.max(...known)];
  const room = Math.max(high - low, least) * 0.15 || Math.abs(high) * 0.1 || 1;
  return [low - room, high + room];
}

// Places in a line where values are known, as runs of [x, y]; a value that is not known ends a run.
export function runs(at, values) {
  const found = [];
  let run = [];
  at.forEach((x, place) => {
    const y = values[place];
    if (y === null || y === undefined) {
      if (run.length) found.push(run);
      run = [];
    } else run.push([x, y]);
  });
  if (run.length) found.push(run);
  return found;
}

// A line that keeps its value until the next one.
export function stepped(points, until) {
  const found = [];
  points.forEach(([x, y], place) => {
    found.push([x, y], [place + 1 < points.length ? points[place + 1][0] : Math.max(x, until), y]);
  });
  return found;
}

// A round distance between lines of a grid: about `wanted` of them between two values.
export function grid(low, high, wanted = 4) {
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough);
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high + 1e-12; value += step) found.push(value);
  return found;
}

function scales([x0, x1], [y0, y1], { width, height }) {
  const clipped = (y) => Math.min(y1, Math.max(y0, y));
  return {
    x: (value) => LEFT + ((value - x0) / (x1 - x0 || 1)) * (width - LEFT - RIGHT),
    y: (value) => TOP + (1 - (clipped(value) - y0) / (y1 - y0 || 1)) * (height - TOP - BOTTOM),
  };
}

const path = (points, { x, y }) => points.map(([a, b], place) => `${place ? "L" : "M"}${x(a).toFixed(1)} ${y(b).toFixed(1)}`).join("");

function frame(label, { width, height }, xs, ys, scale, told) {
  const lines = grid(...ys).map((value) => [
    s("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: scale.y(value), y2: scale.y(value) }),
    s("text", { class: "tick", x: LEFT - 6, y: scale.y(value) + 4, "text-anchor": "end" }, told(value)),
  ]);
  const times = [xs[0], xs[1]].map((value, place) =>
    s("text", { class: "tick", x: scale.x(value), y: height - 4, "text-anchor": place ? "end" : "start" }, clock(value)));
  return s("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }, s("title", {}, label), lines, times);
}

const stepMarks = (weights, scale, { height }, xs) => weights
  .filter((one) => one.at > xs[0] && one.at < xs[1])
  .map((one) => s("line", { class: "step", x1: scale.x(one.at), x2: scale.x(one.at), y1: TOP, y2: height - BOTTOM }));

// One metric: its effect, the interval it lies in (open where nothing is known), and the limits.
export function metricChart(metric, at, track, weights, told) {
  const size = TILE;
  const xs = [at[0], at[at.length - 1]];
  const judged = metric.unit !== "mean";
  const limits = !judged ? [] : metric.sides === "below" ? [-metric.limit, -metric.safe_limit]
    : metric.sides === "both" ? [metric.limit, metric.safe_limit, -metric.limit, -metric.safe_limit] : [metric.limit, metric.safe_limit];
  const ratio = metric.unit !== "points";
  const none = ratio ? 1 : 0;
  const ys = range([...limits, none, ...track.effect, metric.low, metric.high]);
  const scale = scales(xs, ys, size);
  const svg = frame(told, size, xs, ys, scale, ratio ? (v) => v.toFixed(2) : (v) => `${(100 * v).toFixed(Math.abs(ys[1] - ys[0]) < 0.02 ? 2 : 1)}`);
  const upper = at.map((x, place) => [x, track.high[place] ?? ys[1]]);
  const lower = at.map((x, place) => [x, track.low[place] ?? ys[0]]).reverse();
  if (judged) svg.append(s("path", { class: "band", d: `${path([...upper, ...lower], scale)}Z` }));
  svg.append(...stepMarks(weights, scale, size, xs));
  for (const [place, value] of limits.entries()) {
    svg.append(s("line", { class: place % 2 ? "safe" : "limit", x1: LEFT, x2: size.width - RIGHT, y1: scale.y(value), y2: scale.y(value) }));
  }
  for (const run of runs(at, track.effect)) svg.append(s("path", { class: "effect", d: path(run, scale) }));
  return svg;
}

// The canary's share over time: what was wanted, and what the counts say between two points.
export function weightChart(weights, series, until, told) {
  const size = matchMedia("(max-width: 640px)").matches ? TILE : WIDE;
  const from = weights.length ? weights[0].at : series.at[0];
  const xs = [Math.min(from, series.at[0] ?? from), Math.max(until, series.at[series.at.length - 1] ?? until)];
  const scale = scales(xs, [0, 100], size);
  const svg = frame(told, size, xs, [0, 100], scale, (v) => `${v} %`);
  const wanted = stepped(weights.map((one) => [one.at, one.weight]), xs[1]);
  svg.append(s("path", { class: "wanted", d: path(wanted, scale) }));
  svg.append(s("path", { class: "observed", d: path(observed(series), scale) }));
  return svg;
}

// What part of the requests the canary had between each point and the one before, percent.
export function observed(series) {
  const found = [];
  series.at.forEach((at, place) => {
    const canary = series.canary[place] - (place ? series.canary[place - 1] : 0);
    const both = canary + series.stable[place] - (place ? series.stable[place - 1] : 0);
    if (both > 0) found.push([at, (100 * canary) / both]);
  });
  return found;
}
