/** Addresses of the services that `npm test` started for the tests. */

export function required(name: 'PORIN_TEST_DATABASE_URL' | 'PORIN_TEST_REDIS_URL' | 'DOCKER_HOST'): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run the tests with \`npm test\`, which starts the services.`);
  return value;
}
