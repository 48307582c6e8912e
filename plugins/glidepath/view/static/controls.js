// What a person may ask of a release: a button each, and the reason that is recorded with it.
import { ask, released } from "./client.js";
import { h } from "./dom.js";

const WORDS = {
  approve: { name: "Approve", kind: "go", says: (question) => question.about === "traffic"
    ? "The canary gets its first requests, and is judged beside the stable version."
    : "Promote the canary: it gets all requests and becomes the stable version." },
  reject: { name: "Reject", kind: "danger", says: "Take the canary back: all requests on the stable version." },
  hold: { name: "Hold", kind: "", says: "Keep the weight until somebody resumes; proven harm is taken back all the same." },
  resume: { name: "Resume", kind: "go", says: "Go on as the policy says." },
  "take-back": { name: "Take back", kind: "danger", says: "All requests on the stable version at once; the release ends." },
  commit: { name: "End the observation", kind: "go", says: "The old version goes; the new one can't be taken back any more." },
};
// What the DAG's question is answered with; Airflow says who may.
const ANSWERS = { approve: (question) => question.yes, reject: () => "rollback" };
const AIRFLOW = new URL("../../api/v2/", import.meta.url);

async function answered(dagId, runId, task, answer) {
  const place = `dags/${encodeURIComponent(dagId)}/dagRuns/${encodeURIComponent(runId)}/taskInstances/${encodeURIComponent(task)}/-1/hitlDetails`;
  await ask(new URL(place, AIRFLOW), "PATCH", { chosen_options: [answer], params_input: {} });
}

export function controls(dagId, runId, again) {
  const [buttons, form, said] = [h("div", { class: "controls" }), h("div", { class: "controls" }), h("p", { role: "status", class: "quiet" })];
  let [offered, question] = ["", null];

  async function send(what, why, button) {
    button.disabled = true;
    said.textContent = "Asking …";
    try {
      if (ANSWERS[what] && question) await answered(dagId, runId, question.task, ANSWERS[what](question));
      await ask(`${released(dagId, runId)}/words`, "POST", { what, why });
      form.replaceChildren();
      said.textContent = `Recorded: ${what}, ${why}. The guard follows at its next look.`;
      await again();
    } catch (error) {
      said.textContent = `Not done: ${error.message}`;
      button.disabled = false;
    }
  }

  function open(what, from) {
    const { name, kind, says } = WORDS[what];
    const why = h("input", { id: "why", required: true, minlength: 3, maxlength: 500, autocomplete: "off" });
    const go = h("button", { type: "submit", class: kind }, name);
    const close = () => {
      form.replaceChildren();
      from.focus();
    };
    form.replaceChildren(h("form", { "aria-label": name, onsubmit: (event) => { event.preventDefault(); send(what, why.value, go); }, onkeydown: (event) => event.key === "Escape" && close() },
      h("p", {}, typeof says === "function" ? says(question) : says), h("label", { for: "why" }, "Why? It is recorded with your name."), why,
      h("div", {}, go, h("button", { type: "button", onclick: close }, "Cancel"))));
    why.focus();
  }

  return {
    element: h("div", {}, buttons, form, said),
    offer(actions, may, asked) {
      const now = JSON.stringify([actions, may, asked]);
      if (now === offered) return;
      offered = now;
      question = asked;
      form.replaceChildren();
      buttons.replaceChildren(...actions.map((what) => {
        const button = h("button", { type: "button", class: WORDS[what].kind, disabled: !may }, WORDS[what].name);
        button.addEventListener("click", () => open(what, button));
        return button;
      }));
      if (actions.length && !may) buttons.append(h("span", { class: "quiet" }, "You may look, and ask nothing of it: Airflow's permission to edit runs of this DAG is missing."));
    },
  };
}
