// Keep what the card shows without a line, on this phone only. Takes: plain values under a name.
// Gives: them back after a reload. Whatever cannot be read or written is as if it had never been kept.

const PREFIX = "inaisle.card.";

/** Return what was kept under a name, or null. */
export function kept<T>(name: string): T | null {
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? null : (JSON.parse(text) as T);
  } catch {
    return null;
  }
}

/** Keep a value; a full or closed store loses nothing but the view without a line. */
export function keep(name: string, value: unknown): void {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // private windows and full disks: the card then needs a line
  }
}

/** Forget everything that this page has kept. */
export function forgetAll(): void {
  for (const name of Object.keys(localStorage)) {
    if (name.startsWith(PREFIX)) localStorage.removeItem(name);
  }
}
