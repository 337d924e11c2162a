// Experiments: what is tried on whom, what came of it, the holdout, and another ranking before its launch.
import type { ScreenCard } from "../../screens";

const card: ScreenCard = {
  name: "experiments",
  order: 33,
  title: { de: "Versuche", en: "Experiments" },
  group: "insight",
  roles: ["operator", "merchandiser", "store_admin"],
};
export default card;
