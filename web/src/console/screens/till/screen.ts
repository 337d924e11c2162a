// Till: coupons, cards and points at the counter.
import type { ScreenCard } from "../../screens";

const card: ScreenCard = {
  name: "till",
  order: 60,
  title: { de: "Kasse", en: "Till" },
  group: "people",
  roles: ["till", "store_admin"],
};
export default card;
