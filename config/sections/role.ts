import { z } from "zod";

export const role = z.enum(["control-plane", "worker"], {
  error: "not a role; write control-plane or worker",
});
