"""The hook `useChat` of Vercel's AI SDK, unmodified, in a page of another origin."""
