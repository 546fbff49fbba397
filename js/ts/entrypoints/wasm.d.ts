/** The bundler adds it as base64. */
declare module "*_bg.wasm" {
  const base64: string;
  export default base64;
}

/** The platform compiles it. */
declare module "*/sillok.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
