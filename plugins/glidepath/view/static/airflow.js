// The pages as Airflow shows them: a component for the navigation, and one for a run's page. Airflow lends its React.
import { mount } from "./view.js";

const base = new URL(document.baseURI).pathname.replace(/\/$/, "");
const link = (dag, run) => `${base}/dags/${encodeURIComponent(dag)}/runs/${encodeURIComponent(run)}/plugin/release`;

function Glidepath({ dagId, runId }) {
  const { createElement, useEffect, useRef } = globalThis.React;
  const host = useRef(null);
  useEffect(() => mount(host.current, { dagId, runId, link, list: `${base}/plugin/releases` }), [dagId, runId]);
  return createElement("div", { ref: host, style: { height: "100%", overflow: "auto" } });
}

globalThis.Releases = Glidepath;
globalThis.Release = Glidepath;
