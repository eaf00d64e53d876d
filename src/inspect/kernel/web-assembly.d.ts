// What of the WebAssembly interface a kernel needs; the types of Node have none of it, those of browsers come with everything else.
declare namespace WebAssembly {
  class Memory {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  class Module {
    constructor(bytes: Uint8Array);
    static imports(module: Module): unknown[];
  }
  class Instance {
    constructor(module: Module);
    readonly exports: unknown;
  }
  class RuntimeError extends Error {}
}
