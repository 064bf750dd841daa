// The choices of the user in the settings. This browser keeps them.
import { browserStorage } from "../shared/storage.js";

export const THEMES = { "": "System", light: "Light", dark: "Dark" };

export const getTheme = () => browserStorage.get("theme", "");

export function setTheme(theme) {
  browserStorage.set("theme", theme || null);
  document.documentElement.dataset.theme = theme; // `theme.js` does this for the next page
}

// The user of new chats. With null they have no user, and the list shows the chats of all users.
export const getUser = () => browserStorage.get("user", null);
export const setUser = (userId) => browserStorage.set("user", userId || null);
