// Key figures: weeks, alerts, the value of customers, contents, and the review to take away.
import type { ScreenCard } from "../../screens";

const card: ScreenCard = {
  name: "kpis",
  order: 34,
  title: { de: "Kennzahlen", en: "Key figures" },
  group: "insight",
  roles: ["operator", "merchandiser", "store_admin"],
};
export default card;
