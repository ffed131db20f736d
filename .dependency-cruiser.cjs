// Import direction: apps -> adapter libraries -> pure libraries (docs/architecture.md).
const pure = 'libs/(jobs|profiles|overhead)/';
const adapters = 'libs/(config|database|queue|execution|staging|secrets)/';
// What several programs do in the database.
const store = 'libs/store/';
/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'pure-imports-node-only',
      comment: 'Pure libraries import nothing but node:, themselves and profiles.',
      severity: 'error',
      from: { path: `^${pure}`, pathNot: '\\.spec\\.ts$' },
      to: { pathNot: [`^libs/$1/`, '^libs/profiles/', '^node:'], dependencyTypesNot: ['core'] },
    },
    {
      name: 'pure-lib-isolation',
      severity: 'error',
      from: { path: `^${pure}` },
      to: { path: '^(libs|apps)/', pathNot: ['^libs/$1/', '^libs/profiles/'] },
    },
    {
      name: 'adapters-do-not-import-one-another',
      severity: 'error',
      from: { path: `^${adapters}` },
      to: { path: '^(libs/(config|database|queue|execution|staging|secrets|store)|apps)/', pathNot: ['^libs/$1/'] },
    },
    {
      name: 'store-imports-database-and-pure',
      severity: 'error',
      from: { path: `^${store}` },
      to: { path: '^(libs|apps)/', pathNot: [`^${store}`, '^libs/database/', `^${pure}`] },
    },
    {
      name: 'apps-never-import-apps',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    { name: 'nest-only-below-apps', severity: 'error', from: { path: '^libs/' }, to: { path: '@nestjs/' } },
    {
      name: 'library-through-its-index',
      severity: 'error',
      from: { path: '^(apps|libs)/([^/]+)/' },
      to: { path: '^libs/[^/]+/src/', pathNot: ['^libs/[^/]+/src/index\\.ts$', '^$1/$2/'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^\\.porin' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      conditionNames: ['development', 'import', 'node', 'default'],
      exportsFields: ['exports'],
    },
  },
};
