// The three kinds of tests: unit beside the source, medium on real services and containers, e2e over HTTP.
import swc from 'unplugin-swc';
import { defineConfig } from 'vitest/config';

const real = {
  // One at a time: the files share a container engine and two cores.
  fileParallelism: false,
  globalSetup: 'test/support/template-database.ts',
  testTimeout: 120_000,
  hookTimeout: 240_000,
};

export default defineConfig({
  plugins: [swc.vite({ module: { type: 'es6' } })],
  test: {
    // A process runs many files, one after another: loading Nest, TypeORM and our sources again takes seconds a file.
    isolate: false,
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['{apps,libs,scripts,bench,migrations}/**/*.spec.ts'], testTimeout: 30_000 },
      },
      { extends: true, test: { name: 'medium', include: ['test/{medium,attacks}/**/*.medium-spec.ts'], ...real } },
      { extends: true, test: { name: 'e2e', include: ['test/e2e/**/*.e2e-spec.ts'], ...real } },
    ],
  },
});
