// Limits how many tabs of one browser hold an event stream. Over HTTP/1.1 browsers open six connections per host; if six
// tabs held one each, a seventh could not even send a message. Tabs without a slot poll.

const MAX_STREAMS = 4;

// Return a function that releases the slot, or null if all slots are taken.
export async function acquireStreamSlot() {
  if (!navigator.locks) return () => {}; // Web Locks are missing on plain HTTP from a named host; then there is no limit
  for (let n = 0; n < MAX_STREAMS; n++) {
    const release = await tryLock(`inturn.stream.${n}`);
    if (release) return release;
  }
  return null;
}

// The browser releases the lock by itself when the tab is closed.
function tryLock(name) {
  return new Promise((resolve) => {
    navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      if (!lock) return resolve(null);
      return new Promise((release) => resolve(release));
    });
  });
}
