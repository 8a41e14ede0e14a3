/**
 * The URL of one of our own modules, for `new Worker(...)`. `tsc` rewrites import endings but not the text in `new URL(...)`:
 * from source the module is `.ts`, built it is `.js`.
 *
 * @param path relative to the importer, with the `.ts` ending: "./flow-worker.ts"
 * @param importerUrl `import.meta.url` of the caller
 */
export function moduleUrl(path: string, importerUrl: string): URL {
  const built = importerUrl.endsWith(".js");
  return new URL(built ? path.replace(/\.ts$/u, ".js") : path, importerUrl);
}
