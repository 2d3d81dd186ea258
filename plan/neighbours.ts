/** Up to so many nodes, every node tries every other one. */
const allPairsUpTo = 16;

/**
 * How far away in the order of the nodes the others are that a node tries. 1 makes a ring, so that
 * whatever a port separates (one node, a hypervisor, a rack), some pair lies on its two sides; the
 * others are further ways round, and find what only some paths lose. They are fixed: another node
 * changes what its neighbours try, and nobody else.
 */
const distances = [1, 2, 4, 8];

/** The nodes that a node tries before anything is built on the network; the same both ways. */
export function neighbours<T>(nodes: readonly T[], node: T): T[] {
  const count = nodes.length;
  if (count <= allPairsUpTo) return nodes.filter((other) => other !== node);
  const at = nodes.indexOf(node);
  const indices = distances.flatMap((distance) => [at + distance, at - distance + count]);
  return indices.map((index) => nodes[index % count] as T);
}
