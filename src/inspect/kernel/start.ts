// A compiled kernel with memory of its own. Compiled once for each code, however many are started.

const modules = new Map<string, WebAssembly.Module>();

/** @param code base64, compiled from a kernel whose exports these are */
export function startKernel<Exports>(code: string): Exports {
  const module = modules.get(code) ?? new WebAssembly.Module(Buffer.from(code, 'base64'));
  modules.set(code, module);
  return new WebAssembly.Instance(module).exports as Exports;
}
