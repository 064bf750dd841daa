// The tabs of one browser share its connections to the service: six, over HTTP/1.1. If each open tab held one for its
// stream, the seventh could not even send. So only some tabs stream at a time; the others ask now and then.

const MOST_STREAMS = 4;

// Returns how to leave the place, or null when all are taken.
export async function takePlace() {
  if (!navigator.locks) return () => {}; // a page over plain HTTP by name; then it is as with any other page
  for (let n = 0; n < MOST_STREAMS; n++) {
    const leave = await tryFor(`inturn.stream.${n}`);
    if (leave) return leave;
  }
  return null;
}

// The browser gives the place back by itself when the tab is closed.
function tryFor(name) {
  return new Promise((resolve) => {
    navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      if (!lock) return resolve(null);
      return new Promise((leave) => resolve(leave));
    });
  });
}
