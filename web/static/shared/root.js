// The path prefix under which a proxy serves the pages, such as /chat, or "". The pages and the API are below it.
export const ROOT = new URL(import.meta.url).pathname.split("/static/")[0];
