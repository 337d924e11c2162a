// Offer to put the card on the home screen, where the browser lets a page ask for it.

interface InstallEvent extends Event {
  prompt: () => Promise<unknown>;
}

class Install {
  private asked = $state.raw<InstallEvent | null>(null);

  constructor() {
    addEventListener("beforeinstallprompt", (event) => {
      event.preventDefault();
      this.asked = event as InstallEvent;
    });
    addEventListener("appinstalled", () => (this.asked = null));
  }

  get isOffered(): boolean {
    return this.asked !== null;
  }

  async ask(): Promise<void> {
    await this.asked?.prompt();
    this.asked = null;
  }
}

export const install = new Install();
