/** Workers in JavaScript and in Lua under one chief. Times are milliseconds. */
/// <reference types="node" />
import { EventEmitter } from "node:events";

export type State = "null" | "disabled" | "present" | "enabled" | "initialized" | "run" | "stopped" | "failed";
export type Level = "debug" | "info" | "warn" | "error" | "off";
export type Policy = "never" | "on_failure" | "always";
export type Value =
  | string | number | bigint | boolean | null | Uint8Array | Value[] | { [key: string]: Value | undefined }
  | Map<string | number | bigint | boolean, Value>;
export type Code =
  | "invalid" | "no_memory" | "not_found" | "exists" | "busy" | "invalid_state" | "not_initialized" | "timeout" | "cancelled"
  | "closed" | "would_block" | "full" | "too_big" | "no_reply" | "call_failed" | "failed" | "cycle" | "deadlock" | "forked"
  | "system" | "not_supported" | "bad_data" | "not_enabled" | "wrong_state_change";

export class ChiefError extends Error {
  constructor(code: Code, message: string);
  readonly code: Code;
  /** Of sendMany: how many went. */
  readonly sent?: number;
}

export interface Wait {
  timeout?: number;
  /** Bytes as they are, instead of values. */
  raw?: boolean;
}

export class Message {
  readonly value: any;
  readonly sender: string;
  readonly kind: "message" | "call" | "broadcast";
  readonly channel: string;
  readonly deliveries: number;
  reply(value: Value, options?: { raw?: boolean }): void;
  fail(text: string): void;
}

export interface ChannelStats {
  capacity: number; sent: number; received: number; queued: number; dropped: number; acknowledged: number; inHand: number;
  redelivered: number; dead: number;
}

export interface Endpoint extends AsyncIterable<Message> {
  readonly name: string;
  readonly length: number;
  readonly stats: ChannelStats;
  send(value: Value, options?: Wait): Promise<void>;
  sendMany(values: Iterable<Value>, options?: Wait): Promise<void>;
  recv(options?: Wait): Promise<Message>;
  recvMany(max?: number, options?: Wait): Promise<Message[]>;
  batches(max?: number, options?: { raw?: boolean }): AsyncIterableIterator<Message[]>;
  close(): void;
}

export interface ChannelOptions {
  capacity?: number; overflow?: "block" | "drop_oldest" | "fail"; delivery?: "at_most_once" | "at_least_once";
  maxDeliveries?: number; maxMessage?: number; dead?: string;
}

/** A channel outside a worker. */
export class Channel implements Endpoint {
  constructor(name: string, options?: ChannelOptions);
  readonly name: string;
  readonly length: number;
  readonly stats: ChannelStats;
  send(value: Value, options?: Wait): Promise<void>;
  sendMany(values: Iterable<Value>, options?: Wait): Promise<void>;
  recv(options?: Wait): Promise<Message>;
  recvMany(max?: number, options?: Wait): Promise<Message[]>;
  batches(max?: number, options?: { raw?: boolean }): AsyncIterableIterator<Message[]>;
  [Symbol.asyncIterator](): AsyncIterator<Message>;
  close(): void;
}

export interface WorkerChannel extends Endpoint {
  /** Acknowledges all that the worker holds from this channel. */
  ack(): Promise<void>;
}

export interface Logger {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
  with(fields: Record<string, unknown>): Logger;
  level: Level;
}

export interface WorkerContext extends AsyncIterable<Message> {
  readonly name: string;
  readonly generation: number;
  readonly args: any;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly remaining: number | undefined;
  channel(name: string): WorkerChannel;
  send(to: string, value: Value, options?: Wait): Promise<void>;
  sendMany(to: string, values: Iterable<Value>, options?: Wait): Promise<void>;
  broadcast(value: Value, options?: { raw?: boolean }): Promise<number>;
  call(to: string, value: Value, options?: Wait): Promise<any>;
  recv(options?: Wait): Promise<Message>;
  recvMany(max?: number, options?: Wait): Promise<Message[]>;
  select(channels: (WorkerChannel | null)[], options?: Wait): Promise<{ channel: WorkerChannel | null; index: number; message: Message }>;
  sleep(milliseconds: number): Promise<void>;
  ready(): Promise<void>;
  states(): Promise<Snapshot>;
  value(key: string): any;
}

export interface WorkerObject<I = any> {
  restartOnFail?: boolean;
  init?(context: WorkerContext): I | Promise<I>;
  run(context: WorkerContext, instance: I): unknown;
  fini?(instance: I): unknown;
}

export interface WorkerClass {
  restartOnFail?: boolean;
  new (context: WorkerContext): { init?(context: WorkerContext): unknown; run(context: WorkerContext): unknown; fini?(): unknown };
}

export interface RestartOptions {
  policy?: Policy; delay?: number; factor?: number; maxDelay?: number; jitter?: number; maxRestarts?: number; window?: number;
  isolateAfter?: number;
}

export interface ProcessOptions {
  argv?: string[]; env?: Record<string, string>; cwd?: string; user?: string; group?: string; umask?: number; memory?: number;
  cpu?: number; files?: number; fileSize?: number; processes?: number; core?: number; spec?: string; restartOnFail?: boolean;
}

export interface WorkerOptions {
  restart?: Policy | RestartOptions;
  schedule?: { every?: number; later?: boolean; cron?: string; tz?: string };
  after?: string | string[]; sends?: string | string[]; receives?: string | string[];
  args?: Value; grace?: number; startTimeout?: number; mailbox?: number; count?: number; noRestartCodes?: number[];
  critical?: boolean; ready?: "explicit" | "run";
  /** What follows an end that nobody asked for; a number is a delay in milliseconds. */
  onExit?(exit: Exit): Answer | Promise<Answer>;
  onExitTimeout?: number;
}

export type Answer = "default" | "restart" | "give_up" | "isolate" | number | undefined;

export interface Exit {
  worker: string; error: string; failures: number; restarts: number; reason?: string;
  history: { generation: number; reason: string; code: number; time: number; up: number }[];
}

export interface PluginOptions extends WorkerOptions {
  isolation?: "thread" | "fiber" | "process";
  process?: ProcessOptions;
}

export interface LuaOptions extends PluginOptions {
  path?: string; cpath?: string; memoryLimit?: number; watchdog?: number; eagerLibraries?: boolean;
}

export interface LogRecord {
  level: Level; time: Date; message: string; fields: Record<string, any>;
}

export interface ChiefOptions {
  name?: string; requireNames?: boolean; forceStopTimeout?: number; initTimeout?: number; hookTimeout?: number; seed?: number;
  eventCapacity?: number; exitWhenDone?: boolean; threadStack?: number; forceTime?: number; eventLevel?: Level;
  fiberThreads?: number; maxRestarts?: number; restartWindow?: number; exitTimeout?: number;
  log?: { level?: Level; format?: "text" | "json"; sink?(record: LogRecord): void };
  info?: { version?: string; build?: string; tag?: string };
}

export interface Status {
  name: string; state: State; phase: string; reason?: string; generation: number; restarts: number; until?: number;
  waitingFor?: string; error?: string; traceback?: string; why?: string; slow: boolean;
}

export interface Snapshot {
  seq: number;
  workers: Status[];
}

export interface Event {
  kind: string; seq: number; time: number; level: Level; worker?: string; channel?: string; state?: State; previous?: State;
  reason?: string; error?: string; traceback?: string; generation?: number; delay?: number;
}

export class Chief extends EventEmitter {
  constructor(options?: ChiefOptions);
  addWorker(name: string, worker: ((context: WorkerContext) => unknown) | WorkerClass | WorkerObject, options?: WorkerOptions): this;
  addLuaWorker(name: string, module: string, options?: LuaOptions): this;
  addPlugin(name: string, path: string, options?: PluginOptions): this;
  addProcess(name: string, options?: WorkerOptions & { process?: ProcessOptions }): this;
  addGroup(name: string, policy: "one_for_one" | "one_for_all" | "rest_for_one", names: string[]): this;
  addChannel(name: string, options?: ChannelOptions): this;
  channel(name: string): Channel;
  enableWorkers(...names: (string | string[])[]): this;
  isEnabled(name: string): boolean;
  enableByDefault(yes: boolean): this;
  forceStopTimeout: number;
  exitWhenDone: boolean;
  eventLevel: Level;
  addValue(key: string, value: string | number | bigint | boolean | Uint8Array | null | undefined): this;
  value(key: string): any;
  readonly name: string;
  readonly info: { pid: number; started: number; name: string; version: string; build: string; tag: string };
  initWorkers(): Promise<void>;
  launch(options?: { signal?: AbortSignal }): this;
  start(options?: { signal?: AbortSignal }): Promise<this>;
  join(): Promise<void>;
  run(options?: { names?: string[]; signal?: AbortSignal; until?(signal: AbortSignal): Promise<unknown> }): Promise<number>;
  readonly signal: AbortSignal;
  stop(why?: string): this;
  forceStop(): this;
  close(): Promise<void>;
  readonly exitCode: number;
  readonly stopped: boolean;
  ref(): this;
  unref(): this;
  startWorker(name: string): void;
  stopWorker(name: string): void;
  restartWorker(name: string): void;
  removeWorker(name: string): void;
  waitState(name: string, state: State, options?: { timeout?: number }): Promise<void>;
  waitReady(options?: { timeout?: number }): Promise<void>;
  traceback(name: string): Promise<string>;
  readonly states: Snapshot;
  readonly statesJson: string;
  status(name: string): Status | undefined;
  send(to: string, value: Value, options?: Wait): Promise<void>;
  call(to: string, value: Value, options?: Wait): Promise<any>;
  broadcast(value: Value, options?: { raw?: boolean }): number;
  events(): AsyncIterableIterator<Event>;
  readonly eventsDropped: number;
  readonly lateReplies: number;
}

/** When a worker with that schedule would run next. */
export function cronTimes(expression: string, options?: { tz?: string; after?: Date | number; count?: number }): Date[];
/** A time as clocks show it in a zone: "2026-03-29T03:00:00+02:00". */
export function zoneText(time: Date | number, tz?: string): string;
export function pack(value: Value): Buffer;
export function unpack(bytes: Uint8Array): any;
export const version: string;
/** The version of the libuv that the library and Node run over. */
export const libuv: string;
