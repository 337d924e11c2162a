// Start the staff console.
import { mount } from "svelte";

import "../kit/theme.css";
import { language } from "../kit/i18n.svelte";
import App from "./App.svelte";

document.documentElement.lang = language.current;
const target = document.getElementById("app");
if (target === null) throw new Error("the page has no element #app");
mount(App, { target });
