// Health: which parts work, which do not, and since when.
import type { ScreenCard } from "../../screens";

const card: ScreenCard = {
  name: "health",
  order: 90,
  title: { de: "Zustand", en: "Health" },
  group: "service",
  roles: ["operator", "store_admin"],
};
export default card;
