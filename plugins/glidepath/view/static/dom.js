// Elements, and how times and numbers are written. Text goes in as text, never as HTML.

const SVG = "http://www.w3.org/2000/svg";

export function h(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

export function s(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(2).filter((one) => one !== null && one !== undefined && one !== false));
  return element;
}

// Made once: a formatter costs more than a thousand of its answers.
const TIME = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const DAY = new Intl.DateTimeFormat([], { month: "short", day: "numeric" });
const COUNT = new Intl.NumberFormat("en");

export function clock(seconds) {
  const at = new Date(1000 * seconds);
  const today = new Date().toDateString() === at.toDateString();
  return today ? TIME.format(at) : `${DAY.format(at)} ${TIME.format(at)}`;
}

export function when(seconds) {
  const at = new Date(1000 * seconds);
  return h("time", { datetime: at.toISOString(), title: at.toISOString() }, clock(seconds));
}

export function span(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 120) return `${whole} s`;
  if (whole < 7200) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 172800) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.round(whole / 86400)} days`;
}

export function number(value, unit) {
  if (value === null || value === undefined) return "…";
  if (unit === "points") return `${value < 0 ? "−" : "+"}${Math.abs(100 * value).toFixed(2)}`;
  return `×${value.toFixed(3)}`;
}

export const count = (value) => COUNT.format(value);

export function copyable(text, what) {
  const said = h("span", { class: "quiet", role: "status" });
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    said.textContent = "copied";
  };
  return h("span", { class: "copyable" }, h("code", { tabindex: "0" }, text), " ",
    h("button", { type: "button", class: "small", "aria-label": `Copy ${what}`, onclick: copy }, "Copy"), " ", said);
}
