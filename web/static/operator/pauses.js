// Pauses of parts of the service: the banner that lists them, the dialog that sets one, and the buttons that open it.
import { Dialog } from "../shared/dialog.js";
import { serverNow } from "../shared/http.js";
import { Component, html } from "../shared/ui.js";
import * as api from "./api.js";
import { partLabel, pluralize, SWITCHES } from "./labels.js";
import { formatDuration, RelativeTime } from "./time.js";

const KINDS = ["tenant", "assistant", "lane", "provider", "model"];
const DURATIONS = { "until it is resumed": "", "for 15 minutes": 900, "for 1 hour": 3600, "for 4 hours": 14400, "for 24 hours": 86400 };

// Without a part, the dialog asks for one.
export const pause = (part) => ({
  title: part ? `Pause ${partLabel(part)}?` : "Pause a part of the service?",
  Dialog: PauseDialog,
  part,
  async run({ part: chosen, reason, for_seconds }) {
    await api.pause(chosen, { reason, for_seconds });
    return `Paused: ${partLabel(chosen)}.`;
  },
});

export const resume = (part) => ({
  async run() {
    await api.resume(part);
    return `Resumed: ${partLabel(part)}.`;
  },
});

export function PauseBanner({ page, pauses }) {
  return html`<div class="banner trouble paused"><ul class="switches">
    ${pauses.map((pause) => html`<li key=${partLabel(pause)}><p><${PauseText} ...${pause} /></p>
      ${page.canAct && !pause.is_over && html`<button type="button" onClick=${() => page.act(resume(pause))}>Resume ${partLabel(pause)}</button>`}</li>`)}
  </ul></div>`;
}

function PauseText(pause) {
  const { kind, by, reason, since, until, is_over, waiting_turns } = pause;
  const waiting = kind !== "intake" && ` ${pluralize(waiting_turns, "turn waits", "turns wait")}.`;
  if (is_over) return html`<b>${title(pause)} resumed</b>.${waiting} They start one after another, oldest first.`;
  const effect = SWITCHES[kind] && ` While paused, ${SWITCHES[kind].effect}.`;
  const end = until ? ` It ends in ${formatDuration((Date.parse(until) - serverNow()) / 1000)}.` : " No end is set.";
  return html`<b>${title(pause)} paused</b> for <${RelativeTime} at=${since} />${by && html` by <span class="id">${by}</span>`}${reason && `: ${reason}`}.${waiting}${end}${effect}`;
}

const title = (part) => partLabel(part).replace(/^./, (letter) => letter.toUpperCase());

export function PauseButton({ page, part, label = "Pause…" }) {
  if (!page.canAct) return null;
  return html`<button type="button" class="quiet" aria-label=${part ? `Pause ${partLabel(part)}` : null}
    onClick=${() => page.act(pause(part))}>${label}</button>`;
}

class PauseDialog extends Component {
  render({ action: { title: heading, part }, isActing, onClose }) {
    const submit = (event) => {
      event.preventDefault();
      const { kind, name, reason, for_seconds } = Object.fromEntries(new FormData(event.target));
      onClose(true, { part: part ?? { kind, name: name.trim() }, reason: reason.trim(), for_seconds: Number(for_seconds) || null });
    };
    return html`<${Dialog} title=${heading} onClose=${() => onClose(false)}>
      <form class="fields" onSubmit=${submit}>
        <p>${part && SWITCHES[part.kind] ? `While paused, ${SWITCHES[part.kind].effect}.` : "Its turns do not start. Running ones finish, and new ones are accepted and wait."}</p>
        ${!part && html`<${PartFields} />`}
        <label>Reason <input name="reason" maxlength="200" placeholder="shown to operators only" /></label>
        <label>Pause <select name="for_seconds">${Object.entries(DURATIONS).map(([label, seconds]) => html`<option key=${label} value=${seconds}>${label}</option>`)}</select></label>
        <p class="dialog-actions">
          <button type="button" autofocus onClick=${() => onClose(false)}>Back</button>
          <button type="submit" class="primary" disabled=${isActing}>${part ? `Pause ${partLabel(part)}` : "Pause"}</button>
        </p>
      </form>
    </${Dialog}>`;
  }
}

function PartFields() {
  return html`<label>Kind <select name="kind">${KINDS.map((kind) => html`<option key=${kind}>${kind}</option>`)}</select></label>
    <label>Name <input name="name" required maxlength="255" autocomplete="off" spellcheck=${false} placeholder="as in the turns; lane: interactive or batch" /></label>`;
}
