// The adapters, for a program that is an agent.
export { adapterFor } from '../../../agents/index.ts';
