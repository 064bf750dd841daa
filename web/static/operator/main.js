// The operator page: puts the parts together and hands each of them what it shows.
import { Component, createRef, html, render } from "../shared/ui.js";
import { FailedView } from "./failed_view.js";
import { glance } from "./findings.js";
import { Header } from "./header.js";
import { LiveView } from "./live_view.js";
import { Banners, Notice, Old } from "./notices.js";
import { OverviewView } from "./overview_view.js";
import { Page } from "./page.js";
import { addressOf, placeIn } from "./place.js";
import { Question } from "./question.js";
import { SessionView } from "./session_view.js";
import { TurnView } from "./turn_view.js";
import { Numbers, Verdict } from "./verdict.js";
import { WorkersView } from "./workers_view.js";

const VIEWS = {
  overview: { View: OverviewView, title: () => "Overview" },
  live: { View: LiveView, title: () => "Live turns" },
  turn: { View: TurnView, title: ({ id }) => `Turn …${(id ?? "").slice(-8)}` },
  session: { View: SessionView, title: ({ session_id }) => `Session ${session_id}` },
  failed: { View: FailedView, title: () => "Failed turns" },
  workers: { View: WorkersView, title: () => "Workers" },
};

class App extends Component {
  #heading = createRef();

  componentDidMount() {
    const { page } = this.props;
    page.listen(() => this.forceUpdate());
    document.addEventListener("keydown", (event) => pressed(event));
    document.addEventListener("click", (event) => this.#clicked(event));
  }

  componentDidUpdate() {
    const { now } = this.props.page;
    document.title = `${glance(now)[0].headline} ${VIEWS[now.place.view].title(now.place)} · InTurn`;
  }

  render({ page }) {
    const { asked, isActing, place, shown, stats, trouble, keyWords } = page.now;
    const { View, title } = VIEWS[place.view];
    const of = shown && addressOf(shown.place) === addressOf(place) ? shown : {};
    return html`
      <${Header} page=${page} />
      <div class=${trouble || keyWords ? "stale" : null}>
        <section aria-label="Are users waiting?">
          <${Banners} page=${page} />
          <${Verdict} now=${page.now} />
          <${Old} now=${page.now} />
          <${Numbers} stats=${stats} />
        </section>
        <main>
          <h1 ref=${this.#heading} tabindex="-1">${title(place)}</h1>
          <${Notice} page=${page} />
          ${of.missing ? html`<p class="none">${of.missing}</p>` : html`<${View} page=${page} place=${place} stats=${stats} data=${of.data} />`}
        </main>
      </div>
      ${asked && html`<${Question} asked=${asked} isActing=${isActing} onAnswer=${(isYes) => page.answer(isYes)} />`}`;
  }

  // Links inside the page change what it shows; the reader goes on at its heading.
  #clicked(event) {
    const link = event.target.closest("a");
    if (!link || link.pathname !== "/operator" || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    this.props.page.open(placeIn(link.search));
    this.#heading.current.focus({ preventScroll: true });
  }
}

function pressed(event) {
  const isTyping = event.target.closest("input, textarea, select, dialog");
  if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  document.getElementById("find").focus();
}

const page = new Page();
const place = document.getElementById("app");
place.replaceChildren();
render(html`<${App} page=${page} />`, place);
page.start();
