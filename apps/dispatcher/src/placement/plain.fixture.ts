/** Nodes and jobs of which nothing is special, for specs to change what they are about. */
import { type PlaceableNode } from './room.js';
import { type Candidate } from './schedule.js';
import { type Share } from './share.js';

/** Idle, well, and without a history. */
export function plainNode(id: string, size: Share & Pick<PlaceableNode, 'slots'>): PlaceableNode {
  return {
    id,
    name: id,
    architecture: 'x86_64',
    offeredMonitorings: ['none'],
    opensSecrets: false,
    turnover: 0,
    hesitant: false,
    closedBy: null,
    provedAtMs: null,
    avoidedBy: [],
    running: [],
    placed: [],
    ...size,
  };
}

/** For any node, never tried, ready at the time 0; its wall time is an hour. */
export function plainJob(jobId: string, share: Share): Candidate {
  return {
    jobId,
    architecture: 'x86_64',
    priority: 0,
    seq: 0,
    wallTimeS: 3600,
    readyAtMs: 0,
    monitoring: null,
    namesSecrets: false,
    lastNodeId: null,
    boundNodeId: null,
    nodeFailures: [],
    applicationId: 'app',
    imageNodeIds: [],
    ...share,
  };
}
