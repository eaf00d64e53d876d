// Connections to ports on which nobody listens, as part of the init: the kernel refuses each by a packet of its own, and a small process
// beside the sandbox reads these packets and hands them to the launcher. It sees nothing else: the kernel's filter (packet(7), classic BPF)
// lets only refusals through, cut to their headers. What goes back and forth on connections that are answered is never copied.
//
// INVARIANT: it ends when the launcher does, or when the launcher wants no more, and hands on before what came until then.
import { encode } from './seccomp.ts';
import type { Datum, SyscallScript } from './syscall-script.ts';

/** One packet as the launcher gets it, from its IP header on. */
export const recordBytes = 64;

/** Where the process keeps its two descriptors, above all that it inherits and closes. */
const own = { packets: 220, records: 221 } as const;

const oCloexec = 0o2000000;
const childSignal = 17;

export interface Watch {
  /** What the process itself does; to be placed where the init's own path never comes. */
  placeLoop(): void;
}

/** @param records the descriptor that leads to the launcher */
export function watchRefusals(script: SyscallScript, records: number): Watch {
  const [packetFamily, datagram, everyProtocol, loopbackIndex] = [17, 2, 3, 1];
  const [solSocket, attachFilter, solPacket, ignoreOutgoing] = [1, 26, 263, 23];
  const slot = script.space(8);
  const child = script.label();
  script.stage('the watch over refused connections');
  // Without a protocol it hears nothing until the filter is in place.
  script.call('socket', [packetFamily, datagram | oCloexec, 0], { store: slot });
  const filter = refusalFilter();
  script.call('setsockopt', [{ load: slot }, solSocket, attachFilter, script.words([filter.length / 8, script.bytes(filter)]), 16]);
  // Older kernels show what goes out as well; the filter passes it over.
  script.attempt('setsockopt', [{ load: slot }, solPacket, ignoreOutgoing, script.bytes(Buffer.from([1, 0, 0, 0])), 4]);
  const address = Buffer.alloc(20); // struct sockaddr_ll
  address.writeUInt16LE(packetFamily, 0);
  address.writeUInt16BE(everyProtocol, 2);
  address.writeInt32LE(loopbackIndex, 4);
  script.call('bind', [{ load: slot }, script.bytes(address), address.length]);
  const forked = script.space(8);
  script.call('clone', [childSignal, 0, 0, 0, 0], { store: forked });
  script.jump(child, forked);
  script.call('close', [{ load: slot }]);
  return {
    placeLoop() {
      script.place(child);
      script.stage('the watch');
      // Out of reach of the keys of a terminal, and of a program that signals its process group.
      script.call('setsid', []);
      script.call('dup3', [{ load: slot }, own.packets, oCloexec]);
      script.call('dup3', [records, own.records, oCloexec]);
      script.call('close_range', [0, own.packets - 1, 0]);
      script.call('close_range', [own.records + 1, 0xffffffff, 0]);
      script.call('capset', [script.words([0x20080522]), script.space(24)]);
      loop(script);
    },
  };
}

function loop(script: SyscallScript): void {
  const [readable, dontWait, noSignal] = [1, 0x40, 0x4000];
  // Two `struct pollfd`. The launcher never writes: readable is the end of what it wants.
  const polled = Buffer.alloc(16);
  polled.writeInt32LE(own.packets, 0);
  polled.writeInt16LE(readable, 4);
  polled.writeInt32LE(own.records, 8);
  polled.writeInt16LE(readable, 12);
  const fds = script.bytes(polled);
  const at: Datum = script.words([fds]);
  const [record, result, isOver] = [script.space(recordBytes), script.space(8), script.space(8)];
  const [wait, next, empty] = [script.label(), script.label(), script.label()];
  script.place(wait);
  script.call('ppoll', [fds, 2, 0, 0, 8]);
  script.place(next);
  script.clear(record);
  script.attempt('recvfrom', [own.packets, record, recordBytes, dontWait, 0, 0], result);
  script.jumpIfNegative(empty, result);
  script.call('sendto', [own.records, record, recordBytes, noSignal, 0, 0], { exactly: recordBytes });
  script.jump(next);
  script.place(empty);
  script.peek(isOver, at, 14, 2);
  script.jump(wait, isOver);
  // The launcher waits for this. With the packet socket, which is closed at the end, the kernel takes some ten milliseconds.
  script.call('close', [own.records]);
  script.call('exit', [0]);
}

/**
 * A reset whose sequence number is zero answers a connection that nobody took (RFC 9293 section 3.10.7.1). Its source is the address that
 * was dialled: in 127.0.0.0/8 only the addresses that stand for names (127.64.0.0/10) are of interest, and ::1 is not.
 */
export function refusalFilter(): Buffer {
  const [loadByte, loadWord, loadByteAt, loadWordAt, headerLength] = [0x30, 0x20, 0x50, 0x40, 0xb1];
  const [and, equal, answer] = [0x54, 0x15, 0x06];
  const [version, packetType, outgoing] = [0, 0xfffff004, 4];
  const [tcp, resetAndAck, flagsOfInterest] = [6, 0x14, 0x17];
  type Line = readonly [name: string, code: number, value: number, ifTrue?: string, ifFalse?: string];
  const lines: Line[] = [
    ['', loadByte, packetType],
    ['', equal, outgoing, 'drop', ''],
    ['', loadByte, version],
    ['', and, 0xf0],
    ['', equal, 0x40, 'four', ''],
    ['', equal, 0x60, 'six', 'drop'],
    ['four', loadByte, 9],
    ['', equal, tcp, '', 'drop'],
    ['', headerLength, 0],
    ['', loadByteAt, 13],
    ['', and, flagsOfInterest],
    ['', equal, resetAndAck, '', 'drop'],
    ['', loadWordAt, 4],
    ['', equal, 0, '', 'drop'],
    ['', loadWord, 12],
    ['', and, 0xff000000],
    ['', equal, 0x7f000000, '', 'take'],
    ['', loadWord, 12],
    ['', and, 0xffc00000],
    ['', equal, 0x7f400000, 'take', 'drop'],
    ['six', loadByte, 6],
    ['', equal, tcp, '', 'drop'],
    ['', loadByte, 53],
    ['', and, flagsOfInterest],
    ['', equal, resetAndAck, '', 'drop'],
    ['', loadWord, 44],
    ['', equal, 0, '', 'drop'],
    ['', loadWord, 8],
    ['', equal, 0, '', 'take'],
    ['', loadWord, 12],
    ['', equal, 0, '', 'take'],
    ['', loadWord, 16],
    ['', equal, 0, '', 'take'],
    ['', loadWord, 20],
    ['', equal, 1, 'drop', 'take'],
    ['take', answer, recordBytes],
    ['drop', answer, 0],
  ];
  const place = (name: string, from: number): number => (name === '' ? 0 : lines.findIndex(([one]) => one === name) - from - 1);
  return encode(lines.map(([, code, value, yes = '', no = ''], i) => [code, place(yes, i), place(no, i), value]));
}
