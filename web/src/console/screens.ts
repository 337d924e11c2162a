// Know the screens of the console: each folder below screens/ has screen.ts (its name, for whom) and
// Screen.svelte, which is loaded when somebody goes there.
import type { Component } from "svelte";

import type { Role } from "./session.svelte";

/** What a folder says of itself in screen.ts, as its default export. */
export interface ScreenCard {
  /** what stands behind # in the address */
  name: string;
  /** where it stands in the menu, from 0 */
  order: number;
  title: { de: string; en: string };
  group: "floor" | "insight" | "offers" | "people" | "service";
  roles: readonly Role[];
}

export interface Screen extends ScreenCard {
  load: () => Promise<{ default: Component }>;
}

const cards = import.meta.glob<ScreenCard>("./screens/*/screen.ts", {
  eager: true,
  import: "default",
});
const bodies = import.meta.glob<{ default: Component }>("./screens/*/Screen.svelte");

/** All screens, in the order of the menu. */
export const SCREENS: readonly Screen[] = Object.entries(cards)
  .map(([path, card]) => {
    const load = bodies[path.replace("screen.ts", "Screen.svelte")];
    if (load === undefined) throw new Error(`${path} has no Screen.svelte beside it`);
    return { ...card, load };
  })
  .sort((one, other) => one.order - other.order);

/** The screens that somebody may see. */
export function screensFor(role: string | null): readonly Screen[] {
  return SCREENS.filter((screen) => (screen.roles as readonly (string | null)[]).includes(role));
}
