// Staff: who may sign in at this site.
import type { ScreenCard } from "../../screens";

const card: ScreenCard = {
  name: "staff",
  order: 85,
  title: { de: "Personal", en: "Staff" },
  group: "service",
  roles: ["operator", "store_admin"],
};
export default card;
