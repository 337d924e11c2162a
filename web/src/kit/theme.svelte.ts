// Remember whether the reader wants light, dark, or what the device says.

export type Theme = "auto" | "light" | "dark";
const STORED = "inaisle.theme";

class ThemeState {
  current = $state<Theme>("auto");

  constructor() {
    const stored = globalThis.localStorage?.getItem(STORED);
    if (stored === "light" || stored === "dark") this.choose(stored);
  }

  choose(theme: Theme): void {
    this.current = theme;
    localStorage.setItem(STORED, theme);
    if (theme === "auto") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = theme;
  }
}

export const theme = new ThemeState();
