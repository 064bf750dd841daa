// The libraries that render the page. Only this module names their versions.
import { Component, createRef, h, render } from "../vendor/preact-11.2.0.js";
import htm from "../vendor/htm-3.1.1.js";

export const html = htm.bind(h);
export { Component, createRef, render };
