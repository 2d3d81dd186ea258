import { type Refusal, reach, type Target, type Trusted } from "./reach.ts";
import type { Session } from "./session.ts";

/** What a node says at first. */
export interface Known {
  session: Session;
  /** Its API server's CA in base64; empty where it has none. */
  authority: string;
  /** Of its interface on the VLAN. */
  mac: string;
  /** Has the virtual address now. */
  holds: boolean;
}

/**
 * Gives the virtual address to one control plane after the other. Each time the others must hear of it, find it
 * by ARP or neighbour discovery and be answered there, and so must the operator's machine.
 * @param trusted Who may answer as each control plane.
 * @returns why the network does not let them have it, by the first that it stops
 */
export async function take(
  address: string,
  target: Target,
  nodes: readonly Known[],
  trusted: ReadonlyMap<string, Trusted>,
): Promise<Refusal | undefined> {
  const stranger = await stranded(nodes);
  if (stranger !== undefined) {
    return {
      why: `another machine has it, ${stranger} on the VLAN`,
      fix: "give an address that nobody has, or take it from that machine",
    };
  }
  let isFirst = true;
  for (const holder of nodes.filter(({ session: { name } }) => trusted.has(name))) {
    const others = nodes.filter((one) => one !== holder);
    await holder.session.ask("hold");
    const unheard = await heard(address, holder, others);
    if (unheard) return unheard;
    const { name } = holder.session;
    const answer = await reach(
      { ...target, controlPlanes: { [address]: name } },
      trusted.get(name) ?? [],
    );
    if ("why" in answer) {
      return isFirst ? answer : { why: `with the address at ${name}, ${answer.why}`, fix: router };
    }
    await holder.session.ask("drop");
    isFirst = false;
  }
  return undefined;
}

const router =
  "where this machine reached it at another control plane, what is between must follow ARP's announcements: see the router's neighbour table";

/** The MAC address that answers before anybody has taken the address. */
async function stranded(nodes: readonly Known[]): Promise<string | undefined> {
  const looks = await Promise.all(nodes.map(({ session }) => session.ask<Look>("look")));
  return looks.map(({ asked }) => asked).find((mac) => mac !== "");
}

interface Look {
  remembered: string;
  asked: string;
}

async function heard(
  address: string,
  holder: Known,
  others: readonly Known[],
): Promise<Refusal | undefined> {
  const { name } = holder.session;
  const port = `end anti-spoofing (port security, clean-traffic) on the port of ${name}, or allow ${address} there, at the hypervisor or the provider; or remove cluster.endpoint.virtualAddress and give a name or a load balancer`;
  const sessions = others.map(({ session }) => session);
  // All of them look before one asks: an answer makes the holder known as well as its announcement.
  const looks = await Promise.all(sessions.map((one) => one.ask<Look>("look")));
  const answers = await Promise.all(sessions.map((one) => one.ask<{ answered: boolean }>("ask")));
  const finds = sessions.map(({ name: by }, i) => ({
    by,
    remembered: looks[i]?.remembered ?? "",
    asked: looks[i]?.asked ?? "",
    answered: answers[i]?.answered === true,
  }));
  const unfound = finds.find(({ asked }) => asked !== holder.mac);
  if (unfound) {
    return {
      why: `held by ${name}, it is not found by ${unfound.by} on the VLAN${unfound.asked ? ` (${unfound.asked} answers)` : ""}: ARP with an address that is not the port's own is dropped`,
      fix: port,
    };
  }
  // Before whether it answers: who remembers another machine asks that one. Whoever never asked, or had it before,
  // remembers nobody. IPv6's announcements are keepalived's own.
  const unmoved = finds.find(({ remembered }) => remembered !== "" && remembered !== holder.mac);
  if (unmoved && !address.includes(":")) {
    return {
      why: `taken by ${name}, it stays with another machine to ${unmoved.by}: announcements (gratuitous ARP) are dropped`,
      fix: port,
    };
  }
  const unanswered = finds.find(({ answered }) => !answered);
  if (unanswered) {
    return {
      why: `held by ${name}, it does not answer ${unanswered.by}: packets from it, or to it, are dropped`,
      fix: port,
    };
  }
  return undefined;
}
