// Funnel: from passing a shelf to a purchase, of all zones and of each, week against week.
import type { ScreenCard } from "../../screens";

const card: ScreenCard = {
  name: "funnel",
  order: 32,
  title: { de: "Trichter", en: "Funnel" },
  group: "insight",
  roles: ["operator", "merchandiser", "store_admin"],
};
export default card;
