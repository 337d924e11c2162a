// Keep the short notes that are shown for some seconds. Takes: texts. Gives: what Toasts.svelte draws.

const SHOWN_MS = 5_000;
const SHOWN_MAX = 3;

export interface Toast {
  number: number;
  kind: "good" | "bad" | "plain";
  text: string;
}

class ToastState {
  shown = $state.raw<readonly Toast[]>([]);
  private count = 0;

  say(text: string, kind: Toast["kind"] = "good"): void {
    const toast = { number: this.count++, kind, text };
    this.shown = [...this.shown, toast].slice(-SHOWN_MAX);
    setTimeout(() => {
      this.shown = this.shown.filter((one) => one !== toast);
    }, SHOWN_MS);
  }
}

export const toasts = new ToastState();
