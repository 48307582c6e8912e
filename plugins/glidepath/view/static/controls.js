// What a person may ask of a release: a button each, and the reason that is recorded with it.
import { h } from "./dom.js";

export function controls() {
  return { element: h("div", { class: "controls" }), offer() {} };
}
