"""Incremental rendering of Markdown: same result as rendering at once, and only the last block is rendered again."""

import pytest

from tests.browser.support.chat_page import ChatPage

TEXTS = {
    "paragraphs": "One *two*\nthree.\n\nFour **five**\n\n# Six\n\nSeven\n===\n\neight  \nnine\n\n***\n\nten",
    "lists": "- a\n\n- b\n\n  still b\n\n      code in b\n\n1. c\n2. d\n   - e\n\n     f\n\n* g\n*h* i\n\n- [x] j\n\nend",
    "code": "A:\n\n```py\nx = 1\n\n\ny = 2  # two\n```\n\nB:\n\n    indented\n\n    more\n\n~~~\n```\n\n~~~\nend `x` ``y`` z",
    "tables": "T:\n\n| a | b |\n|---|:-:|\n| 1 | `2` |\n| 3 | <br> |\n\nend\n\n| no table\n\nend",
    "quotes": "> a\n> b\n>\n> - c\n\n> d\n\ne\n\n> ```\n> f\n>\n> g\n> ```\n\nend",
    "html": "<div>\n\na\n\n</div>\n\n<!-- b\n\nc -->\n\n<pre>\n\nd\n\n</pre>\n\nend",
    "links": "[a](https://example.org/) <https://example.org/b> https://example.org/c\n\nd@example.org\n\n**e [f](g)**",
    "returns": "a\r\nb\r\n\r\n```\r\nc\r\n\r\nd\r\n```\r\n\r\n- e\r\n\r\nf",
}

COMPARE = """
async (text) => {
  const { Markdown } = await import("$static/chat/markdown.js");
  const { html, render } = await import("$static/shared/ui.js");
  const markup = (root) => root.innerHTML.replaceAll('<div class="block"></div>', "");
  const [growing, fresh] = [document.createElement("div"), document.createElement("div")];
  for (let length = 1; length <= text.length; length++) {
    const isOpen = length < text.length;
    render(html`<${Markdown} text=${text.slice(0, length)} isOpen=${isOpen} />`, growing);
    render(null, fresh);
    render(html`<${Markdown} text=${text.slice(0, length)} isOpen=${isOpen} />`, fresh);
    if (markup(growing) !== markup(fresh)) return [text.slice(0, length), markup(growing), markup(fresh)];
  }
  return null;
}
"""

# Count the changes of the first block while more text is appended.
COUNT = """
async () => {
  const { Markdown } = await import("$static/chat/markdown.js");
  const { html, render } = await import("$static/shared/ui.js");
  const root = document.createElement("div");
  let text = "first block\\n\\n";
  let changes = 0;
  const show = () => render(html`<${Markdown} text=${text} isOpen=${true} />`, root);
  text += "second";
  show();
  const observer = new MutationObserver((records) => (changes += records.length));
  observer.observe(root.querySelector(".block"), { childList: true, subtree: true });
  for (let n = 0; n < 50; n++) (text += ` word ${n}\\n\\n`), show();
  await new Promise((resolve) => setTimeout(resolve));
  return [changes, root.querySelectorAll(".block").length];
}
"""


@pytest.mark.parametrize("name", TEXTS)
def test_growing_text_renders_like_the_whole_text(chat: ChatPage, name: str) -> None:
    assert chat.evaluate(COMPARE, TEXTS[name]) is None


def test_finished_blocks_are_not_rendered_again(chat: ChatPage) -> None:
    changes, blocks = chat.evaluate(COUNT)
    assert changes == 0
    assert blocks == 51
