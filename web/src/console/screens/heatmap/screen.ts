// Heatmap and dwell: where shoppers stood, what changed, and what became of it at each shelf.
import type { ScreenCard } from "../../screens";

const card: ScreenCard = {
  name: "heatmap",
  order: 30,
  title: { de: "Wärmebild und Verweilen", en: "Heatmap & dwell" },
  group: "insight",
  roles: ["operator", "merchandiser", "store_admin"],
};
export default card;
