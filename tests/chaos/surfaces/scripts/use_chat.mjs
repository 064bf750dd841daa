// The class behind the hook `useChat`, with its default transport. After an error it does what a button "Retry" does.
import { Chat, DefaultChatTransport } from "./ai_sdk.mjs";
import { repeat, talk, url } from "./talking.mjs";

await talk((id) => {
  const chat = new Chat({ id, transport: new DefaultChatTransport({ api: `${url}/ai/v7/chat` }) });
  const retry = async () => {
    await chat.regenerate();
    if (chat.status !== "ready") throw chat.error;
  };
  return async (text) => {
    await chat.sendMessage({ text });
    if (chat.status !== "ready") await repeat(retry);
    return chat.lastMessage.parts.map((part) => part.text ?? "").join("");
  };
});
