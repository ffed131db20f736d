/** Where porin-init and its control socket are inside a container, and the environment that tells it. */

export interface ContainerPaths {
  /** porin-init, bind-mounted read-only: the container's Entrypoint. */
  readonly init: string;
  /** The control socket's file, bind-mounted read-only: connecting needs no more. */
  readonly socket: string;
}

/**
 * In a directory of the run's own, whose name nobody can know before: an image may hold a link to any name that it knows,
 * and the engine follows it, so that a mount of the request would come to lie over porin-init.
 *
 * @param runId random
 */
export function containerPaths(runId: string): ContainerPaths {
  const directory = `/run/porin/${runId}`;
  return { init: `${directory}/init`, socket: `${directory}/control.sock` };
}

/** The whole environment of the container. The payload's own comes with the policy and contains none of it. */
export function containerEnvironment({ socket }: ContainerPaths, token: string): readonly string[] {
  return [`PORIN_CONTROL=${socket}`, `PORIN_TOKEN=${token}`];
}
