// The list of releases, or one of them, in a shadow tree of its own: Airflow's styles and ours don't meet.
import { listOf } from "./list.js";
import { releaseOf } from "./release.js";
import { h } from "./dom.js";

const STYLE = new URL("./view.css", import.meta.url).href;

// Airflow's choice of light and dark, where it has one; else the system's.
function theme(root, host) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const { classList } = document.documentElement;
    const dark = classList.contains("dark") || (!classList.contains("light") && system.matches);
    root.dataset.theme = dark ? "dark" : "light";
    host.style.colorScheme = root.dataset.theme; // its scroll bar
  };
  const watch = new MutationObserver(apply);
  watch.observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
  system.addEventListener("change", apply);
  apply();
  return () => {
    watch.disconnect();
    system.removeEventListener("change", apply);
  };
}

// Draws into an element; returns what takes it away again.
export function mount(host, { dagId, runId, link, list }) {
  const shadow = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  // Not seen before it is styled.
  const root = h("div", { class: "glidepath", style: "visibility: hidden" });
  const seen = () => root.removeAttribute("style");
  shadow.replaceChildren(h("link", { rel: "stylesheet", href: STYLE, onload: seen, onerror: seen }), root);
  const ends = [theme(root, host), runId ? releaseOf(root, dagId, runId, list) : listOf(root, link)];
  return () => {
    ends.forEach((end) => end());
    shadow.replaceChildren();
  };
}
