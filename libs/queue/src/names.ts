/** The names of queues: one queue a node. */

export function queueName(nodeId: string): string {
  return `porin-jobs-${nodeId}`;
}
