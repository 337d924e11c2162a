// Know the screens of the card. Takes: the address. Gives: the screen, which is loaded when somebody
// goes there, so that each first visit loads the frame and one screen.
import type { Component } from "svelte";

import type { CARD_WORDS } from "./card.words";

type Loader = () => Promise<{ default: Component }>;

export const SCREENS: Readonly<Record<string, Loader>> = {
  "": () => import("./screens/CardHome.svelte"),
  join: () => import("./screens/Join.svelte"),
  offers: () => import("./screens/Offers.svelte"),
  offer: () => import("./screens/OfferDetail.svelte"),
  points: () => import("./screens/Points.svelte"),
  rewards: () => import("./screens/Rewards.svelte"),
  find: () => import("./screens/Find.svelte"),
  why: () => import("./screens/Why.svelte"),
  friends: () => import("./screens/Friends.svelte"),
  surveys: () => import("./screens/Surveys.svelte"),
  help: () => import("./screens/Help.svelte"),
  settings: () => import("./screens/Settings.svelte"),
  suspension: () => import("./screens/SuspendedCard.svelte"),
  privacy: () => import("./screens/Privacy.svelte"),
  more: () => import("./screens/More.svelte"),
};

type Name = keyof (typeof CARD_WORDS)["de"];

/** What stands in the bar at the bottom. */
export const BAR: readonly { screen: string; name: Name; icon: string }[] = [
  { screen: "", name: "card", icon: "M3 6h18v12H3zM3 10h18M6 15h5" },
  { screen: "offers", name: "offers", icon: "M4 4h8l8 8-8 8-8-8zM8 8h.01" },
  { screen: "find", name: "find", icon: "M10 4a6 6 0 1 1 0 12a6 6 0 1 1 0-12zM15 15l5 5" },
  { screen: "points", name: "points", icon: "M12 3l2.7 5.8 6.3.7-4.7 4.2 1.3 6.3L12 16.8 6.4 20l1.3-6.3L3 9.5l6.3-.7z" },
  { screen: "more", name: "more", icon: "M4 7h16M4 12h16M4 17h16" },
];
