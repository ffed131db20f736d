/**
 * Brings the machine to where Porin can run: the table of checks. scripts/bootstrap.mjs runs it under the set-up lock, with
 * the `npm run` command that it is for.
 */
import { meetChecks, SetupError } from './check.js';
import { nativePrograms } from './native-programs.js';
import { postgresLibraries } from './postgres-libraries.js';
import { systemPackages } from './system-packages.js';

try {
  const checks = [systemPackages(process.argv[2] ?? ''), postgresLibraries, nativePrograms];
  meetChecks(checks, (message) => console.error(`porin: ${message}`));
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`porin: ${error.message}`);
  process.exitCode = 1;
}
