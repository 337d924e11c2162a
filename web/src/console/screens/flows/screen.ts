// Flows: how shoppers walk from zone to zone, and what a moved shelf would gain or lose.
import type { ScreenCard } from "../../screens";

const card: ScreenCard = {
  name: "flows",
  order: 31,
  title: { de: "Laufwege", en: "Flows" },
  group: "insight",
  roles: ["operator", "merchandiser", "store_admin"],
};
export default card;
