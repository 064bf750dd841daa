// Waiting that is cut short: by whoever no longer wants it, or because the machine has a network again.
export function pause(seconds, signal) {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      removeEventListener("online", wake);
      signal?.removeEventListener("abort", wake);
      resolve();
    };
    const timer = setTimeout(wake, seconds * 1000);
    addEventListener("online", wake);
    signal?.addEventListener("abort", wake);
    if (signal?.aborted) wake();
  });
}
