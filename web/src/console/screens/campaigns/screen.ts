// Campaigns: what is offered to whom, written, tried on the past, put into force and paused.
import type { ScreenCard } from "../../screens";

const card: ScreenCard = {
  name: "campaigns",
  order: 50,
  title: { de: "Kampagnen", en: "Campaigns" },
  group: "offers",
  roles: ["operator", "merchandiser", "store_admin"],
};
export default card;
