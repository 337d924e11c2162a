// Coverage: how far off fixes are at best, where too few anchors hear, and what one more would bring.
import type { ScreenCard } from "../../screens";

const card: ScreenCard = {
  name: "coverage",
  order: 20,
  title: { de: "Abdeckung", en: "Coverage" },
  group: "floor",
  roles: ["operator", "store_admin"],
};
export default card;
