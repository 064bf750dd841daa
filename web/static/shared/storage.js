// Values that the browser keeps for the page: titles, variables, drafts. Browsers may refuse storage or clear it.
import { ROOT } from "./root.js";

const PREFIX = `inturn${ROOT}`; // another service at the same origin has its own values

export const browserStorage = wrap(() => localStorage); // shared by all tabs
export const tabStorage = wrap(() => sessionStorage); // survives a reload of the tab

function wrap(storage) {
  return {
    get(name, fallback) {
      try {
        return JSON.parse(storage().getItem(`${PREFIX}.${name}`)) ?? fallback;
      } catch {
        return fallback;
      }
    },
    set(name, value) {
      try {
        if (value === null) storage().removeItem(`${PREFIX}.${name}`);
        else storage().setItem(`${PREFIX}.${name}`, JSON.stringify(value));
      } catch {
        // Storage is full or forbidden. The page works without it and loses the value on reload.
      }
    },
  };
}
