"""A custom chain that answers from documents and names its sources (RAG).

Callers find the answer in `output.content`, which streams, and the sources in `output.data`.
"""

import re
import zlib
from operator import itemgetter
from typing import Any

from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import Runnable, RunnableLambda, RunnableParallel, RunnablePassthrough
from langchain_core.vectorstores import InMemoryVectorStore

DOCUMENTS = [
    Document("Unopened tea can be returned within 30 days.", metadata={"source": "returns.md"}),
    Document("Delivery takes two days and costs 4 euros.", metadata={"source": "delivery.md"}),
    Document("The shop is open from 9 to 17 o'clock, except on Sundays.", metadata={"source": "hours.md"}),
]
PROMPT = ChatPromptTemplate.from_messages(
    [
        ("system", "Answer from these passages only:\n{passages}"),
        MessagesPlaceholder("history"),
        ("human", "{input}"),
    ]
)
DIMENSIONS = 512


class WordCounts(Embeddings):
    """Counts of the words of a text, so that the example needs no embedding model. Use a real one instead."""

    def embed_query(self, text: str) -> list[float]:
        counts = [0.0] * DIMENSIONS
        for word in re.findall(r"\w{4,}", text.lower()):
            counts[zlib.crc32(word.encode()) % DIMENSIONS] += 1
        return counts

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]


def build(model: BaseChatModel) -> Runnable[dict[str, Any], dict[str, Any]]:
    store = InMemoryVectorStore.from_documents(DOCUMENTS, WordCounts())
    retriever = store.as_retriever(search_kwargs={"k": 1})
    return RunnablePassthrough.assign(found=itemgetter("input") | retriever) | RunnableParallel(
        answer=RunnablePassthrough.assign(passages=passages_of) | PROMPT | model | StrOutputParser(),
        sources=RunnableLambda(sources_of),
    )


def passages_of(values: dict[str, Any]) -> str:
    return "\n".join(document.page_content for document in values["found"])


def sources_of(values: dict[str, Any]) -> list[str]:
    return [document.metadata["source"] for document in values["found"]]
