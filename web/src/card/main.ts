// Start the shopper's card, and the service worker that keeps it without a line.
import { mount } from "svelte";

import "../kit/theme.css";
import "../kit/theme.svelte";
import { language } from "../kit/i18n.svelte";
import App from "./App.svelte";
import { keepWithoutLine } from "./state/worker";

document.documentElement.lang = language.current;
const target = document.getElementById("app");
if (target === null) throw new Error("the page has no element #app");
mount(App, { target });
keepWithoutLine();
