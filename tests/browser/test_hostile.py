"""The model's text is a stranger's: whatever it says, nothing runs, nothing is fetched, nothing looks like the page."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.chat import Chat
from tests.browser.hostile import CORPUS
from tests.support.processes import Stack

# Feeds a text to the page's own component, growing by one character at a time: so it is cut at every boundary, and
# each beginning of it is shown. Says what stands there at the end, and all that ever stood there and should not.
GROW = """
async (text) => {
  const { Markdown } = await import("$static/chat/markdown.js");
  const { html, render } = await import("$static/shared/ui.js");
  const place = document.createElement("div");
  document.body.append(place);
  const allowed = new Set("A BLOCKQUOTE BR BUTTON CODE DEL DIV EM H3 H4 H5 H6 HR LI OL P PRE SPAN STRONG TABLE TBODY TD TH THEAD TR UL".split(" "));
  const attributes = new Set("align aria-label class href rel role start tabindex target type".split(" "));
  const classes = /^(markdown|block|code|code-head|scroll|quiet|language-\\S+|hl-\\w+|)$/;
  const wrong = new Set();
  for (let length = 1; length <= text.length; length++) {
    render(html`<${Markdown} text=${text.slice(0, length)} isOpen=${length < text.length} />`, place);
    for (const node of place.querySelectorAll("*")) {
      if (!allowed.has(node.tagName)) wrong.add(node.tagName);
      for (const { name, value } of node.attributes) {
        if (!attributes.has(name)) wrong.add(`${node.tagName} ${name}`);
        if (name === "class" && !classes.test(value)) wrong.add(`class ${value}`);
        if (name === "href" && !/^(https?:\\/\\/|mailto:)/.test(value)) wrong.add(`href ${value}`);
        if (name === "href" && (node.target !== "_blank" || node.rel !== "noopener noreferrer nofollow")) wrong.add(`rel ${value}`);
      }
    }
  }
  const shown = place.textContent;
  render(null, place);
  place.remove();
  return { wrong: [...wrong], shown };
}
"""


def test_each_attack_cut_at_each_boundary_runs_and_fetches_nothing(chat: Chat) -> None:
    chat.evaluate('async () => await import("$static/chat/markdown.js")')
    asked = chat.requests()
    for attack in CORPUS:
        said = chat.evaluate(GROW, attack)
        assert said["wrong"] == [], attack
        assert said["shown"].strip(), "it is shown as text, not swallowed"
    assert chat.page.evaluate("window.alarm") is None
    own = ("GET /v1/sessions", "GET /v1/turns?")  # what the page asks by itself, for its list
    assert [request for request in asked if not request.startswith(own)] == []


def test_attacks_that_come_from_the_model_and_from_the_history_run_and_fetch_nothing(
    chat: Chat, visit: Callable[..., Chat], stack: Stack
) -> None:
    asked = chat.requests()
    for n in range(0, len(CORPUS), 11):
        chat.say("\n\n".join(CORPUS[n : n + 11]).replace("\0", ""))
        chat.wait_for("done", count=n // 11 + 1)
    assert [request for request in asked if not request.split()[1].startswith(("/v1/", "/static/"))] == []
    assert [request for request in asked if "stolen" in request] == []
    again = visit(stack, f"/?session={chat.session_id}")
    again.wait_for("done", count=-(-len(CORPUS) // 11))
    for each in (chat, again):
        assert each.page.evaluate("window.alarm") is None
        expect(each.page.locator("article :is(img, form, script, iframe, input, svg, style)")).to_have_count(0)


def test_a_title_made_of_markup_is_text(chat: Chat) -> None:
    chat.say("<img src=x onerror=window.alarm=1>")
    chat.wait_for("done")
    expect(chat.sessions.first.locator(".title")).to_have_text("<img src=x onerror=window.alarm=1>")
    assert chat.page.evaluate("window.alarm") is None


def test_links_open_elsewhere_and_tell_nothing_of_where_they_were_followed(chat: Chat) -> None:
    chat.say("see [here](https://example.org/a) and ![this](https://example.org/b.png)")
    chat.wait_for("done")
    links = chat.page.locator(".markdown a")
    expect(links).to_have_text(["here", "this"])
    for link in links.all():
        assert link.get_attribute("rel") == "noopener noreferrer nofollow"
        assert link.get_attribute("target") == "_blank"
