// The two libraries that draw the page. Their versions are in their names, so they are named here alone.
import { Component, createRef, h, render } from "../vendor/preact-11.2.0.js";
import htm from "../vendor/htm-3.1.1.js";

export const html = htm.bind(h);
export { Component, createRef, render };
