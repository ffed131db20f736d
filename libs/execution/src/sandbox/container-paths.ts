/** Where porin-init and its control socket are inside every container, and the environment that tells it. */

/** porin-init, bind-mounted read-only: the container's Entrypoint. */
export const CONTAINER_INIT = '/run/porin/init';
/** The control socket's file, bind-mounted read-only: connecting needs no more. */
export const CONTAINER_SOCKET = '/run/porin/control.sock';

/** The whole environment of the container. The payload's own comes with the policy and contains none of it. */
export function containerEnvironment(token: string): readonly string[] {
  return [`PORIN_CONTROL=${CONTAINER_SOCKET}`, `PORIN_TOKEN=${token}`];
}
