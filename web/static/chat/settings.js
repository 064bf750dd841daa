// The dialog with the settings: theme, user and API key.
import { hasApiKey, saveApiKey } from "../shared/api_key.js";
import { Dialog } from "../shared/dialog.js";
import { Component, html } from "../shared/ui.js";
import { getTheme, getUser, setTheme, THEMES } from "./preferences.js";
import { ID_RULE, isId } from "./route.js";

export class Settings extends Component {
  render({ onClose }) {
    const hasKey = hasApiKey();
    return html`<${Dialog} title="Settings" onClose=${onClose}>
      <form class="settings" onSubmit=${(event) => this.#save(event)}>
        <fieldset>
          <legend>Theme</legend>
          <div class="choices">
            ${Object.entries(THEMES).map(
              ([theme, label]) => html`<label key=${theme}><input type="radio" name="theme" value=${theme}
                defaultChecked=${theme === getTheme()} />${label}</label>`,
            )}
          </div>
        </fieldset>
        <label for="settings-user">User</label>
        <input id="settings-user" name="user" defaultValue=${getUser() ?? ""} aria-describedby="settings-user-hint"
          autocomplete="off" spellcheck=${false} placeholder="All users" onInput=${({ target }) => checkUser(target)} />
        <p class="hint" id="settings-user-hint">New chats belong to this user id, and the list shows only this user's chats.</p>
        <label for="settings-key">API key</label>
        <input id="settings-key" name="key" type="password" aria-describedby="settings-key-hint" autocomplete="off"
          placeholder=${hasKey ? "Saved. Enter another key to replace it." : "inturn_…"} />
        <p class="hint" id="settings-key-hint">Needed only if this service has keys. It is kept until you close this tab.
          ${hasKey && html` <button type="button" class="link" onClick=${() => saveApiKey(null)}>Remove key</button>`}</p>
        <p class="dialog-actions">
          <button type="button" onClick=${onClose}>Cancel</button>
          <button type="submit" class="primary">Save</button>
        </p>
      </form>
    </${Dialog}>`;
  }

  #save(event) {
    event.preventDefault();
    const { theme, user, key } = Object.fromEntries(new FormData(event.target));
    setTheme(theme);
    this.props.page.chooseUser(user.trim());
    this.props.onClose();
    if (key.trim()) saveApiKey(key.trim());
  }
}

function checkUser(field) {
  const name = field.value.trim();
  field.setCustomValidity(name && !isId(name) ? `Enter ${ID_RULE}.` : "");
}
