// The thing that the text of the search box names, with its last turns; if it names none, names that contain it.
import { html } from "../../shared/ui.js";
import { Empty } from "../components/empty.js";
import { FoundTurns } from "../components/found_turns.js";
import { searchRoute, urlOf } from "../route.js";

const LINKS = { turn: "Its timeline", session: "The session" };
const ELSEWHERE = [
  { label: "All turns, with filters", to: { view: "history" } },
  { label: "Live turns", to: { view: "live" } },
];

export function FindView({ data }) {
  if (!data) return null;
  if (!data.findings.length) return html`<${Nothing} answer=${data} />`;
  return html`${data.findings.map((finding) => html`<${Finding} key=${finding.sentence} finding=${finding} />`)}
    ${!data.is_complete && html`<p class="summary">There are more turns or sessions than one search looks through, so older ones may be missing.</p>`}`;
}

function Finding({ finding }) {
  const { kind, sentence, turns } = finding;
  return html`<p class="why">${sentence}. <a href=${urlOf(routeOf(finding))}>${LINKS[kind] ?? "All its turns"}</a></p>
    <${FoundTurns} label=${`Last turns of the ${kind.replace("_", " ")}`} turns=${turns} empty="None of its turns is kept." />`;
}

function Nothing({ answer: { sentence, suggestions } }) {
  const next = suggestions.map((suggestion) => ({ label: labelOf(suggestion), to: searchRoute(suggestion.id) }));
  return html`<${Empty} next=${[...next, ...ELSEWHERE]}>${sentence}${suggestions.length > 0 && " These names contain it:"}<//>`;
}

function labelOf({ kind, id, user_id }) {
  const owner = user_id ? ` of user ${user_id}` : "";
  return `${kind[0].toUpperCase()}${kind.slice(1)} ${id}${owner}`;
}

function routeOf({ kind, to }) {
  if (kind === "turn") return { view: "turn", id: to.turn_id };
  return { view: kind === "session" ? "session" : "history", ...to };
}
