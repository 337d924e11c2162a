// Privacy: what was asked for of shoppers' data, how long it is kept, whether the audit holds.
import type { ScreenCard } from "../../screens";

const card: ScreenCard = {
  name: "privacy",
  order: 80,
  title: { de: "Datenschutz", en: "Privacy" },
  group: "service",
  roles: ["store_admin", "operator"],
};
export default card;
