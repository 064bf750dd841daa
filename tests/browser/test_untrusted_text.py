"""Text from the model is untrusted: it must not run scripts, send requests or imitate the page."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.support.attacks import ATTACKS
from tests.browser.support.chat_page import ChatPage
from tests.support.processes import Stack

# Render every prefix of a text with the page's own component. Return the visible text at the end, and every element,
# attribute and class that appeared and is not allowed.
RENDER_PREFIXES = """
async (text) => {
  const { Markdown } = await import("$static/chat/markdown.js");
  const { html, render } = await import("$static/shared/ui.js");
  const root = document.createElement("div");
  document.body.append(root);
  const allowed = new Set("A BLOCKQUOTE BR BUTTON CODE DEL DIV EM H3 H4 H5 H6 HR LI OL P PRE SPAN STRONG TABLE TBODY TD TH THEAD TR UL".split(" "));
  const attributes = new Set("align aria-label class dir href rel role start tabindex target type".split(" "));
  const classes = /^(markdown|block|code|code-head|scroll|quiet|language-\\S+|hl-\\w+|)$/;
  const wrong = new Set();
  for (let length = 1; length <= text.length; length++) {
    render(html`<${Markdown} text=${text.slice(0, length)} isOpen=${length < text.length} />`, root);
    for (const node of root.querySelectorAll("*")) {
      if (!allowed.has(node.tagName)) wrong.add(node.tagName);
      for (const { name, value } of node.attributes) {
        if (!attributes.has(name)) wrong.add(`${node.tagName} ${name}`);
        if (name === "dir" && !node.matches(".block, .code")) wrong.add(`${node.tagName} dir`);
        if (name === "class" && !classes.test(value)) wrong.add(`class ${value}`);
        if (name === "href" && !/^(https?:\\/\\/|mailto:)/.test(value)) wrong.add(`href ${value}`);
        if (name === "href" && (node.target !== "_blank" || node.rel !== "noopener noreferrer nofollow")) wrong.add(`rel ${value}`);
      }
    }
  }
  const shown = root.textContent;
  render(null, root);
  root.remove();
  return { wrong: [...wrong], shown };
}
"""


def test_every_prefix_of_each_attack_is_harmless(chat: ChatPage) -> None:
    chat.evaluate('async () => await import("$static/chat/markdown.js")')
    requests = chat.record_requests()
    for attack in ATTACKS:
        result = chat.evaluate(RENDER_PREFIXES, attack)
        assert result["wrong"] == [], attack
        assert result["shown"].strip(), "the text is missing"
    assert chat.page.evaluate("window.alarm") is None
    expected = ("GET /v1/sessions", "GET /v1/turns?")  # the page refreshes its list
    assert [request for request in requests if not request.startswith(expected)] == []


def test_attacks_from_model_and_history_are_harmless(
    chat: ChatPage, open_chat: Callable[..., ChatPage], stack: Stack
) -> None:
    requests = chat.record_requests()
    for n in range(0, len(ATTACKS), 11):
        chat.send("\n\n".join(ATTACKS[n : n + 11]).replace("\0", ""))
        chat.wait_for_state("done", count=n // 11 + 1)
    assert [request for request in requests if not request.split()[1].startswith(("/v1/", "/static/"))] == []
    assert [request for request in requests if "stolen" in request] == []
    again = open_chat(stack, f"/?session={chat.session_id}")
    again.wait_for_state("done", count=-(-len(ATTACKS) // 11))
    for each in (chat, again):
        assert each.page.evaluate("window.alarm") is None
        expect(
            each.page.locator("article :is(.user-message, .answer) :is(img, form, script, iframe, input, svg, style)")
        ).to_have_count(0)


def test_markup_in_a_title_is_shown_as_text(chat: ChatPage) -> None:
    chat.send("<img src=x onerror=window.alarm=1>")
    chat.wait_for_state("done")
    expect(chat.sessions.first.locator(".title")).to_have_text("<img src=x onerror=window.alarm=1>")
    assert chat.page.evaluate("window.alarm") is None


def test_links_open_in_a_new_tab_without_referrer(chat: ChatPage) -> None:
    chat.send("see [here](https://example.org/a) and ![this](https://example.org/b.png)")
    chat.wait_for_state("done")
    links = chat.page.locator(".markdown a")
    expect(links).to_have_text(["here", "this"])
    for link in links.all():
        assert link.get_attribute("rel") == "noopener noreferrer nofollow"
        assert link.get_attribute("target") == "_blank"
