// The client of the daemon's socket, used by the launcher and the command line. The launcher's start-up is on the user's critical path:
// a session is a plain connection, and what needs node:http is loaded with the first call that does.
import net from 'node:net';
import type { Duplex, Readable } from 'node:stream';
import type { ExchangeHead, ExchangeReply } from '../core/index.ts';
import type { Calls } from './calls.ts';
import type { Proposal } from './proposals.ts';
import {
  type AttestReply,
  type AttestRequest,
  type CloseRequest,
  type Confinement,
  type DaemonStatus,
  type DescribedConnect,
  type OpenReply,
  type OpenRequest,
  type PinRequest,
  type ProposalDecision,
  paths,
  type SignatureRequest,
  type StartsReply,
  type StartsRequest,
  type StateReply,
  type StateRequest,
  type Summary,
} from './protocol.ts';
import { openSession, type SessionLine } from './session-line.ts';
import { createWatch, type Patience } from './watch.ts';

const patience: Patience = { askEveryMs: 5_000, silenceMs: 15_000 };

export type Connection = { effect: 'allow'; stream: Duplex } | { effect: 'deny'; reason: string };

export interface DaemonClient {
  status(): Promise<DaemonStatus>;
  stop(): Promise<void>;
  /**
   * Opens the one session of this client and ties its life to this process: the daemon ends it when the connection closes.
   * @param onEnd called once: with the reason when the daemon halted the session, with `undefined` when the daemon went away
   */
  open(request: OpenRequest, onEnd: (reason: string | undefined) => void): Promise<OpenReply>;
  forward(token: string, head: ExchangeHead, body: Readable, signal: AbortSignal): Promise<ExchangeReply>;
  connect(described: DescribedConnect): Promise<Connection>;
  /** One decision for each program that is about to start. */
  decideStarts(token: string, request: StartsRequest): Promise<StartsReply>;
  /** Records a pin of a workspace; durable when this returns. */
  pinned(request: PinRequest): Promise<{ readonly entry: number }>;
  /** What `agents ban|vet|pin` says of a tool; in force when this returns. */
  state(request: StateRequest): Promise<StateReply>;
  /** What waits for a person. */
  proposals(): Promise<readonly Proposal[]>;
  decideProposal(decision: ProposalDecision): Promise<Proposal>;
  /** Which of these keys the session may use. */
  usableKeys(token: string, names: readonly string[]): Promise<readonly boolean[]>;
  /** Decides on one signature. */
  decideSignature(token: string, request: SignatureRequest): Promise<boolean>;
  /** Records what an attestation found; durable when this returns. */
  attested(request: AttestRequest): Promise<AttestReply>;
  /** Ends the session that was opened. */
  /** Says how the program is confined; resolves when that is recorded. */
  confined(confinement: Confinement): Promise<void>;
  close(request: CloseRequest): Promise<Summary>;
  /** Loads what exchanges need, so that the first one does not wait for it. */
  prepare(): void;
  /** Lets go of every connection, so that the process can end. */
  release(): void;
}

export function createClient(socketPath: string, chosen: Patience = patience): DaemonClient {
  const watch = createWatch(chosen, (answered) => askForStatus(socketPath, answered));
  let line: SessionLine | undefined;
  let loading: Promise<Calls> | undefined;
  const calls = (): Promise<Calls> => (loading ??= import('./calls.ts').then(({ createCalls }) => createCalls(socketPath, watch)));

  return {
    status: async () => (await (await calls()).call('GET', paths.status)) as DaemonStatus,
    stop: async () => void (await (await calls()).call('POST', paths.stop)),
    attested: async (request) => (await (await calls()).call('POST', paths.attestations, request)) as AttestReply,
    pinned: async (request) => (await (await calls()).call('POST', paths.pins, request)) as { entry: number },
    state: async (request) => (await (await calls()).call('POST', paths.agents, request)) as StateReply,
    async open(request, onEnd) {
      line = await openSession(socketPath, request, watch, onEnd);
      return line.reply;
    },
    forward: async (token, head, body, signal) => await (await calls()).forward(token, head, body, signal),
    connect: async (described) => await (await calls()).connect(described),
    decideStarts: async (token, request) => (await (await calls()).call('POST', paths.starts, { token, ...request })) as StartsReply,
    proposals: async () => (await (await calls()).call('GET', paths.proposals)) as Proposal[],
    decideProposal: async (decision) => (await (await calls()).call('POST', paths.proposals, decision)) as Proposal,
    usableKeys: async (token, names) => (await (await calls()).call('POST', paths.usableKeys, { token, names })) as boolean[],
    decideSignature: async (token, request) => (await (await calls()).call('POST', paths.signature, { token, ...request })) as boolean,
    async confined(confinement) {
      if (!line) throw new Error('no session was opened');
      await line.confined(confinement);
    },
    async close(request) {
      if (!line) throw new Error('no session was opened');
      return await line.close(request);
    },
    prepare: () => void calls(),
    release() {
      line?.destroy();
      void loading?.then((loaded) => loaded.release());
    },
  };
}

/** Asks once, by hand; `answered` is called with the first byte of any answer. @returns what gives the question up */
function askForStatus(socketPath: string, answered: () => void): () => void {
  const socket = net.connect(socketPath);
  socket.unref();
  socket.write(`GET ${paths.status} HTTP/1.1\r\nHost: daemon\r\nConnection: close\r\n\r\n`);
  socket.once('data', answered);
  socket.on('data', () => {}).on('error', () => {}); // a daemon that is gone closes the others' connections too
  return () => socket.destroy();
}
