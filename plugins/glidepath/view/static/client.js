// Asks the API. What is refused says why, in words for the page.

const API = new URL("../api/v1/", import.meta.url);

const REFUSED = {
  401: "Your session is over. Log in to Airflow again.",
  403: "You may not read the runs of this DAG. Ask who gives permissions in Airflow.",
};

export class Refused extends Error {
  constructor(status, text) {
    super(REFUSED[status] ?? text);
    this.status = status;
  }
}

async function refused(answer) {
  let text = `The server answered ${answer.status}.`;
  try {
    const { detail } = await answer.json();
    if (typeof detail === "string") text = detail;
  } catch {
    // No JSON: the status has to do.
  }
  return new Refused(answer.status, text);
}

// The answer and its tag; null while nothing is new.
export async function read(path, tag) {
  const answer = await fetch(new URL(path, API), { headers: tag ? { "If-None-Match": tag } : {} });
  if (answer.status === 304) return null;
  if (!answer.ok) throw await refused(answer);
  return { body: await answer.json(), tag: answer.headers.get("ETag") };
}

export async function ask(url, method, body) {
  const answer = await fetch(new URL(url, API), { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  if (!answer.ok) throw await refused(answer);
}

export const released = (dag, run) => `releases/${encodeURIComponent(dag)}/${encodeURIComponent(run)}`;
export const task = (dag, run, id) => new URL(`../../dags/${encodeURIComponent(dag)}/runs/${encodeURIComponent(run)}/tasks/${id}`, import.meta.url).href;
export const evidence = (dag, run) => new URL(`${released(dag, run)}/evidence`, API).href;
export const report = (dag, run) => new URL(`${released(dag, run)}/report`, API).href;

// Calls again and again while the page is seen, and at once when it is seen again. Returns what ends it.
export function polled(call, seconds) {
  let timer = 0;
  let over = false;
  const next = async () => {
    clearTimeout(timer);
    const wait = document.hidden ? seconds : await call();
    if (!over && wait !== null) timer = setTimeout(next, 1000 * (wait ?? seconds));
  };
  const seen = () => document.hidden || next();
  document.addEventListener("visibilitychange", seen);
  next();
  return () => {
    over = true;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", seen);
  };
}
