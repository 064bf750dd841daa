"""Markdown of answers: what it becomes, and that a growing answer is rendered like the whole one, block by block."""

import pytest
from playwright.sync_api import expect

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
    "nested fences": "Here:\n\n````markdown\n```python\nprint(1)\n```\n````\n\n- item\n\n  ```js\n  let a = 1;\n  ```\n- next",
    "open fence": "Cut in its code:\n\n```python\nfor i in range(3):\n    print(i)\n",
    "inline html": "<think>inner</think>Use `<div>` and a<br>b, then <details><summary>s</summary>x</details> & 3 < 5.",
    "cells": "| a | b |\n|---|:-:|\n| 1 \\| 2 | `x\\|y` |\n| line<br>two | **b** |",
    "formulas": "So $a_1 * b_1 * c$:\n\\[\n- x_1 \\\\\n- y_1\n\\]\nand\n\n$$\na_1 * b_1\n\n$$\n\n- \\(a_1\\)\n\n  $$x_1 * y_1$$\n- **$5** to *$10*",
    "right to left": "مرحبا! هذه فقرة (مع أقواس) و `code` في الوسط.\n\n1. أولا\n2. ثانيا\n\n> **مهم:** انتهى",
    "chinese": "**重要：**内容，这是**“重点”**内容。\n\n~~旧方法（已废弃）。~~新方法 *强调（注）*的文字",
}

# Markdown, and the content of its paragraph.
RENDERED = {
    "10~20 g, 5~8 min": "10~20 g, 5~8 min",
    "~x~ ~~y~~": "~x~ <del>y</del>",
    "**重要：**内容": "<strong>重要：</strong>内容",
    "这是**“重点”**内容": "这是<strong>“重点”</strong>内容",
    "**C#**や**F#**は**「.NET」**という": "<strong>C#</strong>や<strong>F#</strong>は<strong>「.NET」</strong>という",
    "Go**「初心者」**を、税込**¥10,000**で": "Go<strong>「初心者」</strong>を、税込<strong>¥10,000</strong>で",
    "**이 용어(This term)**를": "<strong>이 용어(This term)</strong>를",
    "~~旧（已废弃）。~~新 *注（一）*的": "<del>旧（已废弃）。</del>新 <em>注（一）</em>的",
    "价格**$x_1$**元": "价格<strong>$x_1$</strong>元",
    'a**"b"**c 2 * 3 * 4 snake_case_名': 'a**"b"**c 2 * 3 * 4 snake_case_名',
    "$a_1 * b_1 * c$": "$a_1 * b_1 * c$",
    r"\(a_1\) *b* \[ \frac{1}{3}\,dx \\[2pt] y_1 \]": r"\(a_1\) <em>b</em> \[ \frac{1}{3}\,dx \\[2pt] y_1 \]",
    "*x $a*b$ y* and **x \\(a**b\\) y**": "<em>x $a*b$ y</em> and <strong>x \\(a**b\\) y</strong>",
    "$$a_1 * b$$ *c*": "$$a_1 * b$$ <em>c</em>",
    "$$\nx_1 \\\\\n- y & z\n$$": "$$<br>x_1 \\\\<br>- y &amp; z<br>$$",
    "$x < y$ $a &lt; b$": "$x &lt; y$ $a &amp;lt; b$",
    "**$5** to $10 *or* US$7, \\$8": "<strong>$5</strong> to $10 <em>or</em> US$7, $8",
    "`$a` *b* `c$` \\( `d` \\)": "<code>$a</code> <em>b</em> <code>c$</code> ( <code>d</code> )",
}

RENDER = """
async (text) => {
  const { renderMarkdown } = await import("$static/chat/sanitise.js");
  return [...renderMarkdown(text).children].map((element) => element.outerHTML).join("");
}
"""

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

DIRECTIONS = """
async (text) => {
  const { Markdown } = await import("$static/chat/markdown.js");
  const { html, render } = await import("$static/shared/ui.js");
  const root = document.querySelector("main").appendChild(document.createElement("div"));
  render(html`<${Markdown} text=${text} isOpen=${false} />`, root);
  return [...root.querySelectorAll("p, li, pre")].map((node) => `${node.tagName} ${getComputedStyle(node).direction}`);
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


@pytest.mark.parametrize("text", RENDERED)
def test_markdown_is_rendered_as_readers_expect(chat: ChatPage, text: str) -> None:
    assert chat.evaluate(RENDER, text) == f"<p>{RENDERED[text]}</p>"


def test_lists_keep_their_numbers_and_cells_their_alignment(chat: ChatPage) -> None:
    markup = chat.evaluate(RENDER, "3. c\n\n| a |\n|--:|\n| 1 |")
    assert '<ol start="3">' in markup
    assert '<td align="right">1</td>' in markup


@pytest.mark.parametrize("name", TEXTS)
def test_growing_text_renders_like_the_whole_text(chat: ChatPage, name: str) -> None:
    assert chat.evaluate(COMPARE, TEXTS[name]) is None


def test_finished_blocks_are_not_rendered_again(chat: ChatPage) -> None:
    changes, blocks = chat.evaluate(COUNT)
    assert changes == 0
    assert blocks == 51


def test_answers_are_written_in_the_direction_of_their_text(chat: ChatPage) -> None:
    chat.send("مرحبا بالعالم")
    chat.wait_for_state("done")
    chat.message.fill("مرحبا")
    texts = (
        chat.user_messages,
        chat.message,
        chat.sessions.first.locator(".title"),
        chat.page.locator(".chat-title"),
    )
    for text in texts:
        expect(text).to_have_css("direction", "rtl")
    directions = chat.evaluate(DIRECTIONS, "שלום עולם\n\n- אחת\n\nEnglish\n\n```\nשלום\n```")
    assert directions == ["P rtl", "LI rtl", "P ltr", "PRE ltr"]
