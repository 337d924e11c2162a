// Live map: where people are now, and where they were in the last 24 hours.
import type { ScreenCard } from "../../screens";

const card: ScreenCard = {
  name: "live",
  order: 0,
  title: { de: "Live-Karte", en: "Live map" },
  group: "floor",
  roles: ["operator", "store_admin"],
};
export default card;
