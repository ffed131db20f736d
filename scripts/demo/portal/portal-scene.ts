/** What the steps of the portal's story work with, beside what every story has. */
import { type S3Server } from '../../services/s3-server.js';
import { type Scene } from '../scene.js';

export interface PortalScene extends Scene {
  readonly store: S3Server;
}

export const BUCKET = 'lab';
