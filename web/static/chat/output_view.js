// Reasoning and tools above an answer, collapsed; its sources below.
import { html } from "../shared/ui.js";
import { stepsLabel, stepsOf, toolLabel } from "./output.js";

const WEB = /^https?:\/\//i;

export function Steps({ parts, isAnswering }) {
  const steps = stepsOf(parts);
  if (!steps.length) return null;
  return html`<details class="steps">
    <summary>${stepsLabel(steps, isAnswering)}</summary>
    <ol>${steps.map((step, at) => html`<li key=${at}>${step.type === "tool" ? html`<${Tool} tool=${step} />` : html`<p dir="auto">${step.text}</p>`}</li>`)}</ol>
  </details>`;
}

function Tool({ tool }) {
  return html`<span class=${`tool ${tool.state}`}><b>${tool.name}</b> ${toolLabel(tool)}</span>
    ${tool.arguments && tool.arguments !== "{}" && html`<pre tabindex="0" aria-label="Arguments">${tool.arguments}</pre>`}
    ${tool.result && html`<pre tabindex="0" aria-label="Result">${tool.result}</pre>`}`;
}

export function Sources({ parts }) {
  const sources = [...new Map(parts.filter(({ type }) => type === "citation").map((part) => [part.url ?? part.title, part])).values()];
  if (!sources.length) return null;
  return html`<details class="steps sources">
    <summary>${sources.length === 1 ? "1 source" : `${sources.length} sources`}</summary>
    <ol>${sources.map(({ url, title, cited_text: cited }, at) => html`<li key=${at}>
      ${WEB.test(url) ? html`<${Link} url=${url} text=${title ?? url} />` : (title ?? "")}
      ${cited && html`<p dir="auto">${cited}</p>`}
    </li>`)}</ol>
  </details>`;
}

function Link({ url, text }) {
  return html`<a href=${url} target="_blank" rel="noopener noreferrer nofollow">${text}</a>`;
}
