/** Built in as base64. */
declare module "*_bg.wasm" {
  const base64: string;
  export default base64;
}

/** Compiled by the platform. */
declare module "*/sillok.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
