// Programme: what loyalty promises, who is told of it, and who bears a part of the cost.
import type { ScreenCard } from "../../screens";

const card: ScreenCard = {
  name: "programme",
  order: 45,
  title: { de: "Programm", en: "Programme" },
  group: "offers",
  roles: ["store_admin", "operator", "merchandiser"],
};
export default card;
