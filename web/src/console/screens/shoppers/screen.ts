// Shoppers: segments and surveys for who plans, cases and suspensions for who answers for the shop.
import type { ScreenCard } from "../../screens";

const card: ScreenCard = {
  name: "shoppers",
  order: 50,
  title: { de: "Kunden", en: "Shoppers" },
  group: "people",
  roles: ["merchandiser", "store_admin", "operator"],
};
export default card;
