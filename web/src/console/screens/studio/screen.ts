// Floor studio: draw the map of the shop as a draft, and publish it.
import type { ScreenCard } from "../../screens";

const card: ScreenCard = {
  name: "studio",
  order: 10,
  title: { de: "Grundriss", en: "Floor studio" },
  group: "floor",
  roles: ["operator", "store_admin"],
};
export default card;
