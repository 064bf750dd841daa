"""A plain Celery task around the stock chain, acknowledged late so that a crash loses no message."""

import os

from celery import Celery
from langchain_community.chat_message_histories import RedisChatMessageHistory
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables.history import RunnableWithMessageHistory
from langchain_openai import ChatOpenAI

STORE = os.environ["REDIS_URL"]
BROKER = STORE.replace("unix://", "redis+socket://")

app = Celery("baseline", broker=BROKER, backend=BROKER)
app.conf.task_acks_late = True
app.conf.task_reject_on_worker_lost = True
# With the defaults, the messages of a dead worker would return only after an hour, ten at a time.
app.conf.broker_transport_options = {
    "visibility_timeout": 10,
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
}

prompt = ChatPromptTemplate.from_messages(
    [
        ("system", "You're an assistant who's good at {ability}. Respond in 20 words or fewer"),
        MessagesPlaceholder("history"),
        ("human", "{input}"),
    ]
)
chain = RunnableWithMessageHistory(
    prompt | ChatOpenAI(model="gpt-4o-mini", api_key="none", base_url=os.environ["OPENAI_BASE_URL"], streaming=True),
    lambda session_id: RedisChatMessageHistory(session_id, url=STORE),
    input_messages_key="input",
    history_messages_key="history",
)


@app.task(name="answer")
def answer(session_id: str, text: str) -> str:
    variables = {"ability": "math", "input": text}
    return str(chain.invoke(variables, {"configurable": {"session_id": session_id}}).content)
