// What this browser remembers: titles, variables, unsent text. It may forget at any time, or refuse to remember.

export const kept = on(() => localStorage); // by this browser
export const keptInTab = on(() => sessionStorage); // by this tab, also over a reload

function on(storage) {
  return {
    read(name, otherwise) {
      try {
        return JSON.parse(storage().getItem(`inturn.${name}`)) ?? otherwise;
      } catch {
        return otherwise;
      }
    },
    write(name, value) {
      try {
        if (value === null) storage().removeItem(`inturn.${name}`);
        else storage().setItem(`inturn.${name}`, JSON.stringify(value));
      } catch {
        // Full, or forbidden: then it is forgotten with the page.
      }
    },
  };
}
